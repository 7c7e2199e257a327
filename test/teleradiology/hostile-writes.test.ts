/** What a client with the rights of its role may try by plain writes, and what nobody may bring about by the operations. */
import type {
  Communication,
  Contract,
  DetectedIssue,
  DocumentReference,
  Practitioner,
  ServiceRequest,
  Task,
} from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  childOf,
  issuesOf,
  outputs,
  patient,
  person,
  placer,
  readyCase,
  request,
  send,
  signedCase,
} from './support/requests.ts';
import { createWorld, tenant, type Who, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const categories = 'https://fhir.passerelle.example/CodeSystem/communication-category';
const idIn = (reference: string | undefined): string => reference?.split('/')[1] ?? '';

/** A plain write of a FHIR client. */
const put = <R extends Parameters<Parameters<Parameters<World['store']['transaction']>[1]>[0]['update']>[0]>(
  who: Who,
  resource: R,
) => world.store.transaction(world.as(who, 'update'), (tx) => tx.update(resource));
const post = <R extends Parameters<typeof put>[1]>(who: Who, resource: R) =>
  world.store.transaction(world.as(who, 'create'), (tx) => tx.create(resource));

describe('a signed document', () => {
  const documentOf = async (id: string): Promise<DocumentReference & { id: string }> => {
    const reference = outputs(await world.task(id), 'document').at(-1)?.valueReference?.reference;
    return (await world.store.read(tenant, 'DocumentReference', idIn(reference))) as DocumentReference & { id: string };
  };

  it('is changed by no client: neither the octets, nor what is said of them', async () => {
    const { id } = await signedCase(world);
    const document = await documentOf(id);
    const binary = await world.store.read(tenant, 'Binary', idIn(document.content[0]?.attachment.url));
    const other = Buffer.from('%PDF-1.4 rien à signaler').toString('base64');
    await expect(put('ris', { ...binary, data: other })).rejects.toMatchObject({ status: 422 });
    await expect(put('ris', { ...document, status: 'entered-in-error' })).rejects.toMatchObject({ status: 422 });
    await expect(
      world.store.transaction(world.as('ris', 'delete'), (tx) => tx.delete('DocumentReference', document.id)),
    ).rejects.toMatchObject({ status: 422 });
    await expect(
      world.store.transaction(world.as('ris', 'delete'), (tx) => tx.delete('Binary', binary.id ?? '')),
    ).rejects.toMatchObject({ status: 422 });
  });
});

describe('a critical result with two findings', () => {
  it('is heard when both were said back', async () => {
    const { id } = await readyCase(world);
    await world.operate('radiologist', 'claim', id);
    await world.operate('radiologist', 'declare-critical', id, { finding: 'Hématome sous-dural aigu gauche' });
    await world.operate('radiologist', 'declare-critical', id, { finding: 'Pneumothorax compressif droit' });
    const hear = (said: string) => world.operate('requester', 'acknowledge-critical', id, { 'read-back': said });
    await expect(hear('Hématome sous-dural gauche')).rejects.toMatchObject({ status: 422 });
    expect((await childOf(world, id, 'alert')).status).toBe('in-progress');
    await hear('Hématome sous-dural gauche, et pneumothorax compressif');
    expect((await childOf(world, id, 'alert')).status).toBe('completed');
  });
});

describe('the alert of a critical result', () => {
  it('is not said to be over, nor renamed, by a client', async () => {
    const { id } = await readyCase(world);
    await world.operate('radiologist', 'claim', id);
    await world.operate('radiologist', 'declare-critical', id, { finding: 'Hématome sous-dural aigu gauche' });
    const alert = (await childOf(world, id, 'alert')) as Task & { id: string };
    for (const change of [
      { executionPeriod: { ...alert.executionPeriod, end: '2026-05-12T07:00:00Z' } },
      { description: 'Sans objet' },
      { reasonCode: { text: 'Sans objet' } },
    ])
      await expect(put('requester', { ...alert, ...change })).rejects.toMatchObject({ status: 422 });
  });

  it('is not heard by who declared it, whatever else they are, unless they name who answered', async () => {
    const { id } = await readyCase(world);
    await world.operate('radiologist', 'claim', id);
    const finding = 'Hématome sous-dural aigu gauche';
    await world.operate('radiologist', 'declare-critical', id, { finding });
    const both = world.as('radiologist', 'operation:Task/$acknowledge-critical');
    const hear = (parameters: Record<string, string>) =>
      world.store.transaction({ ...both, actor: { ...both.actor, roles: ['radiologist', 'requester'] } }, async (tx) =>
        world.store.operations
          .find(({ name }) => name === 'acknowledge-critical')!
          .run({
            tx,
            id,
            parameters: {
              resourceType: 'Parameters',
              parameter: Object.entries(parameters).map(([name, valueString]) => ({ name, valueString })),
            },
            base: '',
            query: '',
            authorize: () => undefined,
            isAllowed: () => true,
          }),
      );
    await expect(hear({ 'read-back': finding })).rejects.toMatchObject({ status: 422 });
    await hear({ 'read-back': finding, with: 'Mme Test, IDE des urgences' });
    expect((await childOf(world, id, 'alert')).status).toBe('completed');
  });
});

describe('what the platform says of a case', () => {
  const said = (category?: string): Communication => ({
    resourceType: 'Communication',
    status: 'completed',
    ...(category ? { category: [{ coding: [{ system: categories, code: category }] }] } : {}),
    sender: { reference: 'Practitioner/radiologue' },
    recipient: [{ reference: 'Practitioner/demandeur' }],
    payload: [{ contentString: 'Résultat critique : rien' }],
  });

  it('is not said by a client that makes one of something else', async () => {
    const { id } = await readyCase(world);
    const stored = await post('ris', said());
    await expect(
      put('ris', { ...stored, category: said('critical-result').category, about: [{ reference: `Task/${id}` }] }),
    ).rejects.toMatchObject({ status: 422 });
    await expect(
      put('ris', { ...stored, category: said('message').category, about: [{ reference: `Task/${id}` }] }),
    ).rejects.toMatchObject({ status: 422 });
  });

  it('is not said by a client that leaves the case out', async () => {
    const { id } = await readyCase(world);
    const { focus } = await world.task(id);
    await expect(
      post('requester', { ...said('critical-result'), basedOn: [{ reference: focus?.reference }] }),
    ).rejects.toMatchObject({ status: 422 });
  });
});

describe('an identity problem', () => {
  async function problem(): Promise<DetectedIssue & { id: string }> {
    const who = person();
    await send(world, request(who));
    const { task } = await send(world, request(who, { patient: patient(who, { birthDate: '1990-01-01' }) }));
    return (await issuesOf(world, task.id))[0]!;
  }

  it('keeps its evidence, whatever a client sends', async () => {
    const issue = await problem();
    const { contained: _contained, evidence: _evidence, identifier: _identifier, extension: _due, ...bare } = issue;
    await put('technologist', { ...bare, detail: 'Tout va bien', severity: 'low' });
    const after = await world.store.read(tenant, 'DetectedIssue', issue.id);
    const { meta: _before, ...kept } = issue;
    expect(after).toMatchObject(kept);
  });

  it('is not silenced by one that a person made in its name, or in the platform’s', async () => {
    const { id } = await readyCase(world);
    const named: DetectedIssue = {
      resourceType: 'DetectedIssue',
      status: 'preliminary',
      code: {
        coding: [
          { system: 'https://fhir.passerelle.example/CodeSystem/detected-issue-code', code: 'identity-mismatch' },
        ],
      },
      implicated: [{ reference: `Task/${id}` }],
    };
    await expect(
      post('radiologist', {
        ...named,
        identifier: [
          { system: 'https://fhir.passerelle.example/sid/detected-issue', value: `identity-mismatch.${id}` },
        ],
      }),
    ).rejects.toMatchObject({ status: 422 });
    await expect(post('radiologist', { ...named, author: { reference: 'Device/passerelle' } })).rejects.toMatchObject({
      status: 422,
    });
    const stored = await post('radiologist', named);
    expect(stored.id).toBeDefined();
    expect((await world.task(id)).businessStatus?.coding?.[0]?.code).toBe('identity-hold');
  });
});

it('an identity problem that a person names without a case is told to somebody', async () => {
  const { id } = await post('radiologist', {
    resourceType: 'DetectedIssue',
    status: 'preliminary',
    code: {
      coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/detected-issue-code', code: 'identity-mismatch' }],
    },
    implicated: [{ reference: 'Practitioner/demandeur' }],
  });
  world.clock.pass(60_000);
  await world.room.sweep();
  const told = await world.store.search(tenant, 'Communication', 'category=identity-waiting&_count=200');
  const about = told.filter((each) => each.about?.some(({ reference }) => reference === `DetectedIssue/${id}`));
  expect(about).toMatchObject([{ recipient: [{ reference: 'Organization/passerelle-exemple' }] }]);
});

describe('where somebody of the platform is reached', () => {
  it('is not changed by the software of an establishment', async () => {
    const telecom: Practitioner['telecom'] = [{ system: 'email', value: 'ailleurs@example.org' }];
    const role = (id: string, code: string) => ({
      resourceType: 'PractitionerRole' as const,
      id: `role-${id}`,
      practitioner: { reference: `Practitioner/${id}` },
      organization: { reference: 'Organization/ch-exemple' },
      code: [{ coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/role', code }] }],
    });
    await put('administrator', role('radiologue', 'radiologist'));
    await put('administrator', role('coordonnateur', 'coordinator'));
    const read = (id: string) => world.store.read(tenant, 'Practitioner', id) as Promise<Practitioner & { id: string }>;
    for (const id of ['radiologue', 'coordonnateur']) {
      await expect(put('ris', { ...(await read(id)), telecom })).rejects.toMatchObject({ status: 422 });
      await put('administrator', { ...(await read(id)), telecom });
    }
    await put('ris', { ...(await read('demandeur')), telecom });
  });
});

describe('a case that a client asks for', () => {
  /** Posts a request and its case, as the form without a RIS does. */
  async function ask(number: string, context: ReturnType<World['as']>, given: Partial<Task> = {}): Promise<Task> {
    const { for: subject } = await world.task((await readyCase(world)).id);
    return world.store.transaction(context, async (tx) => {
      const asked = await tx.create<ServiceRequest>({
        resourceType: 'ServiceRequest',
        status: 'active',
        intent: 'order',
        subject: subject as ServiceRequest['subject'],
        requester: { reference: 'Practitioner/demandeur' },
        code: { text: 'Scanner' },
        reasonCode: [{ text: 'Chute' }],
        identifier: [placer(number)],
      });
      return tx.create<Task>({
        resourceType: 'Task',
        status: 'requested',
        intent: 'order',
        code: {
          coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/task-code', code: 'teleradiology-case' }],
        },
        requester: { reference: 'Organization/ch-exemple' },
        focus: { reference: `ServiceRequest/${asked.id}` },
        ...given,
      });
    });
  }

  it('has the platform’s number: nobody’s name goes out by it', async () => {
    const identifier = [{ system: 'https://fhir.passerelle.example/sid/case', value: 'MOREAU CAMILLE' }];
    const { id } = await ask('DEM-NOMME', world.as('requester', 'transaction'), { identifier });
    expect(JSON.stringify((await world.task(id ?? '')).identifier)).not.toContain('MOREAU');
  });

  it('is of their own establishment: another’s terms and people are not theirs to use', async () => {
    const context = world.as('requester', 'transaction');
    await expect(ask('DEM-AUTRE', { ...context, establishments: ['autre'] })).rejects.toMatchObject({ status: 403 });
    await ask('DEM-SIEN', { ...context, establishments: ['ch-exemple'] });
  });
});

describe('an urgent case', () => {
  it('is made routine by the coordinator alone: who reads it would give themselves more time, and no call to make', async () => {
    const { id } = await readyCase(world);
    await world.operate('radiologist', 'claim', id);
    const lower = async (who: Who) =>
      put(who, { ...((await world.task(id)) as Task & { id: string }), priority: 'routine' });
    await expect(lower('radiologist')).rejects.toMatchObject({ status: 403 });
    expect((await world.task(id)).priority).toBe('urgent');
    await lower('coordinator');
    expect((await world.task(id)).priority).toBe('routine');
  });
});

describe('the request of an open case, rewritten by a client', () => {
  const requestOf = async (id: string) => {
    const { focus } = await world.task(id);
    return (await world.store.read(tenant, 'ServiceRequest', idIn(focus?.reference))) as ServiceRequest & {
      id: string;
    };
  };

  it('is not put out of force behind the back of who reads', async () => {
    const { id } = await readyCase(world);
    await expect(put('ris', { ...(await requestOf(id)), status: 'revoked' })).rejects.toMatchObject({ status: 422 });
    const { id: asked } = (await send(world, request(person()))).task;
    const cancelled = { ...(await world.task(asked)), statusReason: { text: 'Sortie' } };
    await put('coordinator', {
      ...cancelled,
      status: 'cancelled',
      businessStatus: {
        coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/case-status', code: 'cancelled' }],
      },
    } as Task & { id: string });
    expect((await requestOf(asked)).status).toBe('revoked');
  });

  it('is told to who reads it, with what it says now', async () => {
    const { id } = await readyCase(world);
    await world.operate('radiologist', 'claim', id);
    await put('requester', { ...(await requestOf(id)), bodySite: [{ text: 'Genou droit' }] });
    const told = await world.store.search(tenant, 'Communication', 'category=request-changed');
    const about = told.filter((each) => each.about?.some(({ reference }) => reference === `Task/${id}`));
    expect(about).toMatchObject([{ recipient: [{ reference: 'Practitioner/radiologue' }], priority: 'urgent' }]);
    expect(about[0]?.payload?.[0]?.contentString).toContain('Genou droit');
  });
});

describe('what other people agreed on or recorded', () => {
  it('is not written for an establishment by people of another one', async () => {
    const contract: Contract = {
      resourceType: 'Contract',
      status: 'executed',
      meta: { profile: ['https://fhir.passerelle.example/StructureDefinition/contract-terms'] },
      type: {
        coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/contract-type', code: 'teleradiology-terms' }],
      },
      subject: [{ reference: 'Organization/ch-exemple' }],
      applies: { start: '2027-01-01' },
      term: [
        {
          identifier: { value: 'urgence' },
          type: { coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/clock', code: 'interpretation' }] },
          text: 'Urgence',
          offer: { text: 'Urgence' },
          extension: [
            {
              url: 'https://fhir.passerelle.example/StructureDefinition/clock-term',
              extension: [{ url: 'minutes', valuePositiveInt: 45 }],
            },
          ],
        },
      ],
    };
    const write = (establishments: string[]) =>
      world.store.transaction({ ...world.as('coordinator', 'create'), establishments }, (tx) => tx.create(contract));
    await expect(write(['autre'])).rejects.toMatchObject({ status: 403 });
    await write(['ch-exemple']);
  });

  it('is no certificate that the software of an establishment put there', async () => {
    const scan: DocumentReference = {
      resourceType: 'DocumentReference',
      status: 'current',
      type: { coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/qualification', code: 'diploma' }] },
      category: [
        { coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/document-category', code: 'professional' }] },
      ],
      subject: { reference: 'Practitioner/radiologue' },
      content: [{ attachment: { contentType: 'application/pdf', data: 'JVBERi0xLjQ=' } }],
    };
    await expect(post('ris', scan)).rejects.toMatchObject({ status: 422 });
    await post('administrator', scan);
  });
});

describe('a plain update between what the machine reads and what it writes', () => {
  it('is not overwritten by a decision that knew nothing of it', async () => {
    const { id } = await readyCase(world);
    const ready = (await world.task(id)) as Task & { id: string };
    const claimed = {
      ...ready,
      status: 'in-progress',
      owner: { reference: 'Practitioner/radiologue-2' },
      businessStatus: {
        coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/case-status', code: 'reading' }],
      },
    } as Task & { id: string };
    // The question is stored first, then the clocks, then the case.
    let claims = 0;
    world.store.beforeWrite(async (resource, tx) => {
      if (
        resource.resourceType === 'Communication' &&
        tx.context.interaction === 'operation:Task/$ask' &&
        claims++ === 0
      )
        await put('other-radiologist', claimed);
      return resource;
    });
    const question = { question: 'Quelle est la créatininémie ?' };
    await expect(world.operate('radiologist', 'ask', id, question)).rejects.toMatchObject({ status: 409 });
    expect(claims).toBe(1);
    expect(await world.task(id)).toMatchObject({
      status: 'in-progress',
      owner: { reference: 'Practitioner/radiologue-2' },
    });
  });
});

describe('a reading that rests by a plain update', () => {
  it('is no question to the site, and goes on by its reader', async () => {
    const { id } = await readyCase(world);
    await world.operate('radiologist', 'claim', id);
    const become = async (status: Task['status'], code: string, more: Partial<Task> = {}) => {
      const task = (await world.task(id)) as Task & { id: string };
      const system = 'https://fhir.passerelle.example/CodeSystem/case-status';
      return put('radiologist', { ...task, ...more, status, businessStatus: { coding: [{ system, code }] } });
    };
    await become('on-hold', 'suspended', { statusReason: { text: 'Avis d’un confrère' } });
    expect(outputs(await world.task(id), 'question')).toHaveLength(0);
    const { statusReason: _reason, ...rested } = (await world.task(id)) as Task & { id: string };
    const system = 'https://fhir.passerelle.example/CodeSystem/case-status';
    await put('radiologist', {
      ...rested,
      status: 'in-progress',
      businessStatus: { coding: [{ system, code: 'reading' }] },
    });
    expect((await world.task(id)).status).toBe('in-progress');
  });
});
