import type { Consent, DetectedIssue, Patient, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runningOf } from '../../../src/teleradiology/shell/case-clocks.ts';
import {
  complete,
  exam,
  fresh,
  issuesOf,
  mitigation,
  outputs,
  patient,
  person,
  readyCase,
  refusal,
  report,
  request,
  send,
  signedCase,
  stateOf,
  study,
  uid,
} from '../support/requests.ts';
import { createWorld, tenant, type Who, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

type Written = NonNullable<DetectedIssue['mitigation']>[number];

const put = (issue: DetectedIssue, who: Who = 'quality') =>
  world.store.transaction(world.as(who), (tx) => tx.update(issue));

async function decide(id: string, code: string, action: string, more: Partial<Written> = {}): Promise<void> {
  const [issue] = await issuesOf(world, id, code);
  await put({ ...issue!, status: 'final', mitigation: [{ ...mitigation(action)[0]!, ...more }] });
}

async function patientOf(id: string): Promise<Patient & { id: string }> {
  const reference = (await world.task(id)).for?.reference?.split('/')[1] ?? '';
  return (await world.store.read(tenant, 'Patient', reference)) as Patient & { id: string };
}

const feed = (after: Patient & { id: string }) => world.store.transaction(world.as('ris'), (tx) => tx.update(after));

/** A surviving identity, and the merge of the case's patient into it, as a feed writes it. */
async function merge(id: string): Promise<string> {
  const merged = await patientOf(id);
  const survivor = await world.store.transaction(world.as('ris'), (tx) =>
    tx.create<Patient>({ ...patient(person()), birthDate: merged.birthDate, active: true }),
  );
  const link: Patient['link'] = [{ type: 'replaced-by', other: { reference: `Patient/${survivor.id}` } }];
  await feed({ ...merged, active: false, link });
  return survivor.id;
}

async function inHand() {
  const ready = await readyCase(world);
  await world.operate('radiologist', 'claim', ready.id);
  await world.operate('radiologist', 'displayed', ready.id, { series: ['1.1', '1.2'] });
  await world.operate('radiologist', 'phone-exchange', ready.id, { summary: 'Prévenu', with: 'Dr ALIX' });
  return ready;
}

const told = async (id: string, category: string) =>
  (await world.store.search(tenant, 'Communication', `category=${category}&_count=200`)).filter((each) =>
    each.about?.some(({ reference }) => reference === `Task/${id}`),
  );

describe('a patient merged before the request came', () => {
  it('is the one that remains, also when the RIS still sends the former number, and the former case goes on', async () => {
    const who = person();
    const number = `DEM-${fresh()}`;
    const { task } = await send(world, request(who, {}, number));
    const former = await patientOf(task.id);
    const survivor = await merge(task.id);
    const late = await send(
      world,
      request(who, { patient: patient(who, { identifier: former.identifier!.slice(0, 1) }) }),
    );
    expect(late.task.for?.reference).toBe(`Patient/${survivor}`);
    const known = await patientOf(late.task.id);
    expect(known.identifier?.find(({ value }) => value === who.ipp)?.use).toBe('old');
    const again = await send(
      world,
      request(who, { patient: patient(who, { identifier: former.identifier!.slice(0, 1) }) }),
    );
    expect(again.task.for?.reference).toBe(`Patient/${survivor}`);
    await decide(task.id, 'patient-merged', 'merge-recorded');
    await complete(world, [exam(who, number, uid())]);
    expect((await world.task(task.id)).for?.reference).toBe(`Patient/${survivor}`);
  });

  it('named by a FHIR client holds the case until the merge is recorded', async () => {
    const who = person();
    const { task: first } = await send(world, request(who));
    const former = (await world.task(first.id)).for!;
    const survivor = await merge(first.id);
    const made = await world.store.transaction(world.as('requester', 'transaction'), async (tx) => {
      const { organization: _, ...wanted } = request(who);
      const order = await tx.create({
        ...wanted.serviceRequest,
        subject: former as { reference: string },
        requester: { reference: 'Practitioner/demandeur' },
      });
      return tx.create<Task>({
        resourceType: 'Task',
        status: 'requested',
        intent: 'order',
        code: first.code!,
        focus: { reference: `ServiceRequest/${order.id}` },
        for: former,
        requester: { reference: 'Organization/ch-exemple' },
      });
    });
    expect(stateOf(await world.task(made.id))).toBe('identity-hold');
    await decide(made.id, 'patient-merged', 'merge-recorded');
    const after = await world.task(made.id);
    expect(after.for?.reference).toBe(`Patient/${survivor}`);
    expect(stateOf(after)).not.toBe('identity-hold');
  });
});

describe('a patient merged while the case is read', () => {
  it('stops the signature, tells the reader, and takes the case along when the merge is recorded', async () => {
    const { id } = await inHand();
    const survivor = await merge(id);
    expect(stateOf(await world.task(id))).toBe('reading');
    await expect(world.operate('radiologist', 'sign', id, report)).rejects.toMatchObject({ status: 422 });
    const [message] = await told(id, 'identity-problem');
    expect(message?.recipient).toEqual([{ reference: 'Practitioner/radiologue' }]);
    await decide(id, 'patient-merged', 'merge-recorded');
    const task = await world.task(id);
    expect(task.for?.reference).toBe(`Patient/${survivor}`);
    const order = await world.store.read(tenant, 'ServiceRequest', task.focus?.reference?.split('/')[1] ?? '');
    expect(order.subject.reference).toBe(`Patient/${survivor}`);
    expect(stateOf((await world.operate('radiologist', 'sign', id, report)) as Task)).toBe('delivering');
  });

  it('takes along every child Task, however many, and the draft beside a signed report', async () => {
    const { id } = await signedCase(world);
    await world.operate('radiologist', 'open-addendum', id, { reason: 'Fracture non décrite' });
    await world.operate('radiologist', 'claim-addendum', id);
    const draft = await world.operate('radiologist', 'save-draft', id, { conclusion: 'Fracture.' });
    const former = await patientOf(id);
    await world.store.transaction(world.as('ris'), async (tx) => {
      for (let number = 0; number < 130; number++)
        await tx.create<Task>({
          resourceType: 'Task',
          status: 'requested',
          intent: 'order',
          partOf: [{ reference: `Task/${id}` }],
          for: { reference: `Patient/${former.id}` },
        });
    });
    const survivor = await merge(id);
    await decide(id, 'patient-merged', 'merge-recorded');
    const children = await world.store.search(tenant, 'Task', `part-of=Task/${id}`);
    expect(children.length).toBeGreaterThan(130);
    expect([...new Set(children.map((child) => child.for?.reference))]).toEqual([`Patient/${survivor}`]);
    const moved = await world.store.read(tenant, 'DiagnosticReport', draft.id ?? '');
    expect(moved.subject?.reference).toBe(`Patient/${survivor}`);
  });

  it('keeps what the patient refused under the former identity', async () => {
    const { id } = await readyCase(world);
    const merged = await patientOf(id);
    await world.store.transaction(world.as('requester'), (tx) =>
      tx.create<Consent>({
        resourceType: 'Consent',
        status: 'rejected',
        scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'treatment' }] },
        category: [
          {
            coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/consent-category', code: 'remote-reading' }],
          },
        ],
        patient: { reference: `Patient/${merged.id}` },
        policyRule: { text: 'Refus dit au manipulateur.' },
      }),
    );
    await merge(id);
    await decide(id, 'patient-merged', 'merge-recorded');
    expect(stateOf(await world.task(id))).toBe('ready');
    await expect(world.operate('radiologist', 'claim', id)).rejects.toMatchObject(refusal('consent-not-refused'));
  });

  it('cannot be recorded where nobody replaces the patient', async () => {
    const { id } = await readyCase(world);
    await feed({ ...(await patientOf(id)), active: false });
    await expect(decide(id, 'patient-merged', 'merge-recorded')).rejects.toMatchObject({ status: 422 });
    expect(stateOf(await world.task(id))).toBe('identity-hold');
  });

  it('keeps back a report that has not left, which leaves by itself once it is decided', async () => {
    const { id } = await inHand();
    await world.operate('radiologist', 'sign', id, report);
    await merge(id);
    expect(world.held.has(`Task/${id}`)).toBe(true);
    await decide(id, 'patient-merged', 'identity-confirmed');
    expect(world.held.has(`Task/${id}`)).toBe(false);
    expect(stateOf(await world.task(id))).toBe('delivering');
  });

  it('cannot be deleted while a case is open', async () => {
    const { id } = await readyCase(world);
    const { id: patientId } = await patientOf(id);
    const gone = world.store.transaction(world.as('ris'), (tx) => tx.delete('Patient', patientId));
    await expect(gone).rejects.toMatchObject({ status: 422 });
  });
});

describe('a feed that changes', () => {
  it.each([
    [
      'an accent and a telephone',
      (known: Patient) => ({
        name: [{ ...known.name![0], family: 'Test-Moréau' }],
        telecom: [{ system: 'phone', value: '0102030405' }],
      }),
    ],
    [
      'a number that is added',
      (known: Patient) => ({ identifier: [...known.identifier!, { system: 'urn:oid:2.999.8', value: '7' }] }),
    ],
  ])('%s disturbs no case', async (_name, change) => {
    const { id } = await readyCase(world);
    const known = await patientOf(id);
    await feed({ ...known, ...change(known) } as Patient & { id: string });
    expect(await issuesOf(world, id)).toEqual([]);
    expect(stateOf(await world.task(id))).toBe('ready');
  });

  it('the INS, or drops it, holds the case each time anew', async () => {
    const { id } = await readyCase(world);
    const known = await patientOf(id);
    const [ipp, ins] = known.identifier!;
    await feed({ ...known, identifier: [ipp!] });
    await decide(id, 'identity-changed', 'identity-confirmed');
    expect(stateOf(await world.task(id))).toBe('ready');
    await feed({ ...(await patientOf(id)), identifier: [ipp!, ins!] });
    await feed({ ...(await patientOf(id)), identifier: [ipp!, { ...ins!, value: person().ins }] });
    expect(await issuesOf(world, id, 'identity-changed')).toHaveLength(2);
    expect(stateOf(await world.task(id))).toBe('identity-hold');
  });

  it('nothing of a case that is over', async () => {
    const { id } = await readyCase(world);
    await world.operate('coordinator', 'release', id).catch(() => undefined);
    const known = await patientOf(id);
    const { who } = { who: person() };
    const number = `DEM-${fresh()}`;
    const { task } = await send(world, request(who, {}, number));
    await world.operate('requester', 'cancel', task.id, { reason: 'Erreur' });
    await feed({ ...(await patientOf(task.id)), birthDate: '2001-01-20' });
    expect(await issuesOf(world, task.id)).toEqual([]);
    expect(known.active).toBe(true);
  });
});

describe('a decision', () => {
  const problem = async () => {
    const { id } = await readyCase(world);
    await feed({ ...(await patientOf(id)), birthDate: '1999-09-09' });
    const [issue] = await issuesOf(world, id, 'identity-changed');
    return { id, issue: issue! };
  };

  it('says why, is in the name of who takes it, and is one of its kind', async () => {
    const { id, issue } = await problem();
    const [entry] = mitigation('identity-confirmed');
    const wrong: Partial<DetectedIssue>[] = [
      { mitigation: [{ action: { ...entry!.action, text: ' ' } }] },
      { mitigation: [{ ...entry!, author: { reference: 'Practitioner/radiologue' } }] },
      { mitigation: mitigation('images-rejected') },
      { mitigation: mitigation('distinct-persons') },
      { mitigation: [{ action: { text: 'vu' } }] },
      { status: 'entered-in-error' },
      { code: { coding: [{ system: issue.code!.coding![0]!.system, code: 'homonym' }] } },
      { implicated: undefined },
    ];
    for (const change of wrong) await expect(put({ ...issue, ...change })).rejects.toMatchObject({ status: 422 });
    await expect(
      world.store.transaction(world.as('quality'), (tx) => tx.delete('DetectedIssue', issue.id)),
    ).rejects.toMatchObject({ status: 422 });
    expect(stateOf(await world.task(id))).toBe('identity-hold');
  });

  it('is taken while the clock goes on', async () => {
    const { id, issue } = await problem();
    let instant = world.clock.now().getTime();
    const context = {
      ...world.as('quality'),
      now: () => {
        instant += 5;
        return new Date(instant);
      },
    };
    await world.store.transaction(context, (tx) =>
      tx.update<DetectedIssue>({ ...issue, status: 'final', mitigation: mitigation('identity-confirmed') }),
    );
    expect(stateOf(await world.task(id))).not.toBe('identity-hold');
  });

  it('is not rewritten', async () => {
    const { id, issue } = await problem();
    await decide(id, 'identity-changed', 'identity-confirmed');
    const decided = await world.store.read(tenant, 'DetectedIssue', issue.id);
    for (const change of [
      { mitigation: undefined },
      { mitigation: mitigation('identity-confirmed', 'Autre raison') },
      { status: 'preliminary' as const },
    ])
      await expect(put({ ...decided, ...change } as DetectedIssue)).rejects.toMatchObject({ status: 422 });
    await put(decided);
  });

  it('gives the images to the case they belong to', async () => {
    const wrong = await readyCase(world);
    const who = person();
    const { task: right } = await send(world, request(who));
    await world.operate('radiologist', 'protocol', right.id, { text: 'TDM' });
    const studyUid = uid();
    await world.images(study(who, studyUid, { placerOrderNumber: wrong.number }), { '1.1': 3 });
    const [issue] = await issuesOf(world, wrong.id, 'duplicate-patient');
    const extension = [
      {
        url: 'https://fhir.passerelle.example/StructureDefinition/reattached-to',
        valueReference: { reference: `Task/${right.id}` },
      },
    ];
    await expect(decide(wrong.id, 'duplicate-patient', 'images-reattached')).rejects.toMatchObject({ status: 422 });
    expect(issue?.contained).toHaveLength(2);
    await decide(wrong.id, 'duplicate-patient', 'images-reattached', { extension });
    expect(world.quarantined.has(studyUid)).toBe(false);
    expect(outputs(await world.task(right.id), 'imaging-study')).toHaveLength(1);
    expect(outputs(await world.task(wrong.id), 'imaging-study')).toHaveLength(1);
  });

  it('that images are not of this case outlives the next image of them', async () => {
    const who = person();
    const number = `DEM-${fresh()}`;
    const { task } = await send(world, request(who, {}, number));
    await world.operate('radiologist', 'protocol', task.id, { text: 'TDM' });
    const old = study(who, uid(), { placerOrderNumber: number });
    await world.images(old, { '1.1': 3 }, { started: '2024-01-01' });
    await decide(task.id, 'prior-as-current', 'images-rejected');
    await world.images(old, { '1.1': 4 }, { started: '2024-01-01' });
    expect(outputs(await world.task(task.id), 'imaging-study')).toHaveLength(0);
    expect(await issuesOf(world, task.id, 'prior-as-current')).toHaveLength(1);
  });

  it('about a homonym may be the reader’s', async () => {
    const { id } = await readyCase(world);
    const { birthDate, name } = await patientOf(id);
    const { task } = await send(world, request(person(), { patient: patient(person(), { birthDate, name }) }));
    const [issue] = await issuesOf(world, task.id, 'homonym');
    await put({ ...issue!, status: 'final', mitigation: mitigation('distinct-persons') }, 'radiologist');
    expect(stateOf(await world.task(task.id))).toBe('protocol-wanted');
  });
});

describe('an urgent exam at night of whom there is a homonym', () => {
  const night = async () => {
    const first = await readyCase(world);
    const { birthDate, name } = await patientOf(first.id);
    const who = person();
    const number = `DEM-${fresh()}`;
    const studyUid = uid();
    const twin = patient(who, { birthDate, name });
    const { task } = await send(world, request(who, { patient: twin, encounterClass: 'E' }, number));
    await world.operate('radiologist', 'protocol', task.id, { text: 'TDM' });
    await complete(world, [exam(who, number, studyUid, { patient: twin })]);
    const shown = { patientName: `${name?.[0]?.family}^${name?.[0]?.given?.[0]}`, birthDate };
    await world.images(study(who, studyUid, shown), { '1.1': 3 });
    world.clock.pass(3_000);
    await world.room.sweep();
    return task.id;
  };
  const clock = async (id: string) => runningOf(await world.task(id)).map(({ name }) => name);
  const texts = async (id: string) =>
    (await told(id, 'identity-problem')).map(({ recipient }) => recipient?.[0]?.reference);

  it('is opened, claimed and read without waiting; whoever reads learns at once what the signature will want', async () => {
    const id = await night();
    expect(stateOf(await world.task(id))).toBe('ready');
    expect(await clock(id)).toContain('identity');
    expect(await texts(id)).toEqual(['Organization/ch-exemple']);
    await world.operate('radiologist', 'claim', id);
    expect(await texts(id)).toEqual(expect.arrayContaining(['Practitioner/radiologue']));
    await world.operate('radiologist', 'displayed', id, { series: ['1.1'] });
    await world.operate('radiologist', 'phone-exchange', id, { summary: 'Prévenu', with: 'Dr ALIX' });
    await world.operate('radiologist', 'save-draft', id, report);
    for (const name of ['issue-preliminary', 'sign'])
      await expect(world.operate('radiologist', name, id, report)).rejects.toMatchObject(refusal('identity-verified'));
    world.clock.pass(31 * 60_000);
    await world.operate('radiologist', 'displayed', id, { series: ['1.1'] });
    await world.room.sweep();
    const [reminder] = (await told(id, 'waiting')).filter((each) =>
      each.payload?.[0]?.contentString?.includes('identité'),
    );
    expect(reminder?.recipient?.map(({ reference }) => reference)).toEqual([
      'Practitioner/radiologue',
      'Organization/passerelle-exemple',
    ]);
  });

  it('is signed once who stands beside the patient says how they verified it; a word without a reason, or of the requester’s secretary, does not do', async () => {
    const id = await night();
    await world.operate('radiologist', 'claim', id);
    await world.operate('radiologist', 'displayed', id, { series: ['1.1'] });
    await world.operate('radiologist', 'phone-exchange', id, { summary: 'Prévenu', with: 'Dr ALIX' });
    const [issue] = await issuesOf(world, id, 'homonym');
    const decided = (reason: string) => ({
      ...issue!,
      status: 'final' as const,
      mitigation: mitigation('distinct-persons', reason),
    });
    await expect(put(decided(' '), 'technologist')).rejects.toMatchObject({ status: 422 });
    await expect(put(decided('Vu'), 'requester')).rejects.toMatchObject({ status: 403 });
    await expect(
      put({ ...decided('Vu'), mitigation: mitigation('identity-confirmed') }, 'technologist'),
    ).rejects.toMatchObject({ status: 422 });
    await put(decided('Bracelet, nom et date dits par le patient'), 'technologist');
    expect(await clock(id)).not.toContain('identity');
    expect(stateOf((await world.operate('radiologist', 'sign', id, report)) as Task)).toBe('delivering');
    const [trace] = await world.store.search(tenant, 'Provenance', `target=DetectedIssue/${issue?.id}`);
    expect(trace).toMatchObject({ agent: [{ who: { reference: 'Practitioner/manipulateur' } }] });
  });

  it('holds the case that came first as well, read or signed, until the same decision', async () => {
    for (const first of [await readyCase(world, { encounterClass: 'O' }), await signedCase(world, false)]) {
      const isSigned = stateOf(await world.task(first.id)) === 'delivering';
      if (!isSigned) await world.operate('radiologist', 'claim', first.id);
      const { birthDate, name } = await patientOf(first.id);
      const { task } = await send(world, request(person(), { patient: patient(person(), { birthDate, name }) }));
      expect(await clock(first.id)).toContain('identity');
      expect(await texts(first.id)).toEqual(['Practitioner/radiologue']);
      expect(world.held.has(`Task/${first.id}`)).toBe(isSigned);
      if (!isSigned) {
        await world.operate('radiologist', 'displayed', first.id, { series: ['1.1', '1.2'] });
        await expect(world.operate('radiologist', 'sign', first.id, report)).rejects.toMatchObject(
          refusal('identity-verified'),
        );
      }
      await decide(task.id, 'homonym', 'distinct-persons');
      expect(await clock(first.id)).not.toContain('identity');
      expect(world.held.has(`Task/${first.id}`)).toBe(false);
      if (!isSigned)
        expect(stateOf((await world.operate('radiologist', 'sign', first.id, report)) as Task)).toBe('delivering');
    }
  });

  it('holds no other case where more than twenty share a default identity: each has met its own doubt', async () => {
    const first = await readyCase(world, { encounterClass: 'O' });
    const { birthDate, name } = await patientOf(first.id);
    const twin = () => patient(person(), { birthDate, name });
    await world.store.transaction(world.as('requester', 'create'), async (tx) => {
      for (let more = 0; more < 20; more++) await tx.create(twin());
    });
    const { task } = await send(world, request(person(), { patient: twin() }));
    expect(await clock(task.id)).toContain('identity');
    const [issue] = await issuesOf(world, task.id, 'homonym');
    expect(issue?.detail).toContain('21 autres patients');
    expect(issue?.detail).toContain('identité par défaut');
    expect(await clock(first.id)).not.toContain('identity');
  });

  it('found once the report is signed, holds what has not left', async () => {
    const { id } = await signedCase(world, false);
    await world.store.transaction(world.as('technologist', 'create'), (tx) =>
      tx.create<DetectedIssue>({
        resourceType: 'DetectedIssue',
        status: 'preliminary',
        code: {
          coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/detected-issue-code', code: 'homonym' }],
        },
        author: { reference: 'Practitioner/manipulateur' },
        implicated: [{ reference: `Task/${id}` }],
        detail: 'Deux patients du même nom au scanner ce soir.',
      }),
    );
    expect(world.held.has(`Task/${id}`)).toBe(true);
    expect(await clock(id)).toContain('identity');
    await decide(id, 'homonym', 'distinct-persons');
    expect(world.held.has(`Task/${id}`)).toBe(false);
    expect(await clock(id)).not.toContain('identity');
  });
});

describe('a person who doubts', () => {
  it('names the problem, and the case is held until identity vigilance decides', async () => {
    const { id } = await readyCase(world);
    await world.store.transaction(world.as('radiologist'), (tx) =>
      tx.create<DetectedIssue>({
        resourceType: 'DetectedIssue',
        status: 'preliminary',
        code: {
          coding: [
            { system: 'https://fhir.passerelle.example/CodeSystem/detected-issue-code', code: 'identity-mismatch' },
          ],
        },
        author: { reference: 'Practitioner/radiologue' },
        implicated: [{ reference: `Task/${id}` }],
        detail: 'Prothèse de hanche à l’image, aucune au dossier.',
      }),
    );
    expect(stateOf(await world.task(id))).toBe('identity-hold');
    await decide(id, 'identity-mismatch', 'identity-confirmed');
    expect(stateOf(await world.task(id))).toBe('ready');
  });
});

describe('images older than the request', () => {
  it('are no guess for it, and are the exam when the request gives their date', async () => {
    const who = person();
    const asked = request(who);
    const { task } = await send(world, asked);
    await world.images(study(who, uid()), { '1': 3 }, { started: '2023-06-01T10:00:00+02:00' });
    expect(outputs(await world.task(task.id), 'imaging-study')).toHaveLength(0);

    const second = person();
    const number = `DEM-${fresh()}`;
    const opinion = request(second, {}, number);
    opinion.serviceRequest.occurrenceDateTime = '2023-06-01T10:00:00+02:00';
    const { task: secondOpinion } = await send(world, opinion);
    await world.images(study(second, uid(), { placerOrderNumber: number }), { '1': 3 }, { started: '2023-06-01' });
    expect(outputs(await world.task(secondOpinion.id), 'imaging-study')).toHaveLength(1);
    expect(await issuesOf(world, secondOpinion.id)).toEqual([]);
  });
});

describe('a problem without decision', () => {
  it('is told to identity vigilance, then to the establishment too, later each time, and no more once decided', async () => {
    const { id } = await readyCase(world);
    const { birthDate, name } = await patientOf(id);
    const { task } = await send(world, request(person(), { patient: patient(person(), { birthDate, name }) }));
    const pass = async (minutes: number): Promise<(string[] | undefined)[]> => {
      world.clock.pass(minutes * 60_000);
      await world.room.sweep();
      const messages = [...(await told(task.id, 'waiting')), ...(await told(task.id, 'escalation'))].filter((each) =>
        /identité/.test(each.payload?.[0]?.contentString ?? ''),
      );
      return messages
        .sort((a, b) => Date.parse(a.sent ?? '') - Date.parse(b.sent ?? ''))
        .map(({ recipient }) => recipient?.map(({ reference }) => reference ?? ''));
    };
    const [platform, site] = ['Organization/passerelle-exemple', 'Organization/ch-exemple'];
    expect(await pass(29)).toEqual([]);
    expect(await pass(1)).toEqual([[platform]]);
    expect(await pass(30)).toHaveLength(2);
    expect(await pass(90)).toEqual([[platform], [platform], [site]]);
    expect((await pass(120)).slice(3)).toEqual([[platform, site]]);
    expect(await pass(24 * 60)).toHaveLength(5);
    await decide(task.id, 'homonym', 'distinct-persons');
    expect(await pass(72 * 60)).toHaveLength(5);
    expect(await told(task.id, 'identity-waiting')).toEqual([]);
  });

  it('that holds no case is told by itself, later each time, for as long as nobody decides', async () => {
    await world.store.transaction(world.as('radiologist', 'create'), (tx) =>
      tx.create<DetectedIssue>({
        resourceType: 'DetectedIssue',
        status: 'preliminary',
        code: {
          coding: [
            { system: 'https://fhir.passerelle.example/CodeSystem/detected-issue-code', code: 'identity-mismatch' },
          ],
        },
        author: { reference: 'Practitioner/radiologue' },
        detail: 'Deux examens du même nom dans la liste de la salle.',
      }),
    );
    const pass = async (minutes: number): Promise<number> => {
      world.clock.pass(minutes * 60_000);
      await world.room.sweep();
      const all = await world.store.search(tenant, 'Communication', 'category=identity-waiting&_count=1000');
      return all.filter((each) => each.payload?.[0]?.contentString?.includes('salle')).length;
    };
    const first = await pass(2);
    expect(first).toBeGreaterThan(0);
    const later = await pass(24 * 60);
    expect(later).toBe(first + 1);
    expect(await pass(24 * 60)).toBe(later + 1);
    expect(await pass(60)).toBe(later + 1);
  });

  it('is closed with the last of its cases', async () => {
    const who = person();
    await send(world, request(who));
    const { task } = await send(world, request(who));
    await world.operate('requester', 'cancel', task.id, { reason: 'Doublon' });
    world.clock.pass(31 * 60_000);
    await world.room.sweep();
    const [issue] = await issuesOf(world, task.id, 'duplicate-request');
    expect(issue?.mitigation?.[0]?.action.coding?.[0]?.code).toBe('case-ended');
    expect(await told(task.id, 'identity-waiting')).toEqual([]);
  });
});

describe('an accession number', () => {
  it('of another patient is found also when a RIS adds it to the request, and not where the issuers differ', async () => {
    const one = await readyCase(world);
    const two = await readyCase(world);
    const number = { system: 'urn:oid:2.999.33.20', value: `ACS${fresh()}` };
    await complete(world, [exam(one.who, one.number, one.studyUid, { accessionNumber: number })]);
    const focus = (await world.task(two.id)).focus?.reference?.split('/')[1] ?? '';
    const type = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'ACSN' }] };
    const add = async (system: string) => {
      const order = await world.store.read(tenant, 'ServiceRequest', focus);
      const identifier = [...(order.identifier ?? []), { type, system, value: number.value }];
      await world.store.transaction(world.as('ris'), (tx) => tx.update({ ...order, identifier }));
    };
    await add('urn:oid:2.999.44');
    expect(await issuesOf(world, two.id)).toEqual([]);
    await add(number.system);
    expect(await issuesOf(world, two.id, 'accession-collision')).toHaveLength(1);
    expect(stateOf(await world.task(two.id))).toBe('identity-hold');
    expect(stateOf(await world.task(one.id))).toBe('identity-hold');
  });
});
