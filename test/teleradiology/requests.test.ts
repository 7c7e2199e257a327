import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  complete,
  exam,
  fresh,
  ippSystem,
  issuesOf,
  mitigation,
  outputs,
  patient,
  person,
  placer,
  request,
  send,
  stateOf,
  study,
  uid,
} from './support/requests.ts';
import { createWorld, hospital, tenant, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const cancel = (number: string, who: ReturnType<typeof person>, reason?: string) =>
  world.store.transaction(world.as('ris', 'hl7v2:ORM^O01'), (tx) =>
    world.room.cancelRequest(
      tx,
      {
        placer: placer(number),
        patient: patient(who),
        organization: hospital(),
        requester: { resourceType: 'Practitioner' },
        reason,
      },
      'ch-exemple',
    ),
  );

describe('a request', () => {
  it('stores the patient, the order, the observations, the consent and one case', async () => {
    const who = person();
    const { task } = await send(world, request(who));
    const [order] = await world.store.search(
      tenant,
      'ServiceRequest',
      `_id=${task.focus?.reference?.slice('ServiceRequest/'.length)}`,
    );
    expect(order).toMatchObject({ subject: task.for, requester: { reference: 'Practitioner/demandeur' } });
    expect(order?.supportingInfo?.[0]?.reference).toMatch(/^Observation\//);
    const [consent] = await world.store.search(tenant, 'Consent', `patient=${task.for?.reference}`);
    expect(consent).toMatchObject({ status: 'active', category: [{ coding: [{ code: 'remote-reading' }] }] });
    expect(task.input?.map((each) => each.type.coding?.[0]?.code)).toEqual(['encounter-class', 'callback']);
    expect(task.identifier?.[0]?.value).toMatch(/^TLR-20260512-[0-9A-Z]{8}$/);
  });

  it('sent again, at once and by several connections, is the same case', async () => {
    const incoming = request(person());
    const answers = await Promise.all(Array.from({ length: 6 }, () => send(world, incoming)));
    expect(new Set(answers.map(({ task }) => task.id)).size).toBe(1);
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
  });

  it('sent again with other content is the same case, unchanged, and whoever reads is told what it says now, once', async () => {
    const who = person();
    const first = request(who);
    const { task } = await send(world, first);
    const told = () => world.store.search(tenant, 'Communication', `subject=${task.for?.reference}`);
    await send(world, { ...first, transmittedAt: new Date('2026-05-12T06:20:00Z') });
    expect(await told()).toEqual([]);
    const changed = {
      ...first,
      patient: patient(who, { birthDate: '1985-04-18' }),
      serviceRequest: { ...first.serviceRequest, reasonCode: [{ text: 'Traumatisme crânien sous anticoagulant' }] },
      observations: [],
      encounterClass: 'N',
    };
    for (const _ of [1, 2]) expect(await send(world, changed)).toMatchObject({ created: false, task: { id: task.id } });
    const [communication, ...others] = await told();
    expect(others).toEqual([]);
    expect(communication).toMatchObject({
      category: [{ coding: [{ code: 'request-changed' }] }],
      priority: 'urgent',
      about: [{ reference: `Task/${task.id}` }],
    });
    const text = communication?.payload?.[0]?.contentString;
    expect(text).toContain('Justification : « Traumatisme crânien sous anticoagulant ».');
    expect(text).toContain('Renseignements : plus rien.');
    expect(text).toContain('Classe de la venue : « N ».');
    expect(text).toContain('Identité différente : date de naissance.');
    expect(text).not.toContain('Rappel');
    expect(await world.task(task.id)).toEqual(task);
  });

  it('of a patient known by INS and IPP adds no second patient', async () => {
    const who = person();
    const first = await send(world, request(who));
    const second = await send(world, request(who));
    expect(second.task.for?.reference).toBe(first.task.for?.reference);
    expect(second.created).toBe(true);
    const found = await world.store.search(tenant, 'Patient', `identifier=${who.ipp}`);
    expect(found).toHaveLength(1);
  });

  it('of two people with one name makes two patients', async () => {
    const [one, other] = [person(), person()];
    const first = await send(world, request(one));
    const second = await send(world, request(other));
    expect(second.task.for?.reference).not.toBe(first.task.for?.reference);
  });

  it('whose traits contradict the known patient is held until identity vigilance decides', async () => {
    const who = person();
    await send(world, request(who));
    const { task } = await send(
      world,
      request(who, { patient: patient(who, { birthDate: '1985-04-18', gender: 'male' }) }),
    );
    expect(stateOf(task)).toBe('identity-hold');
    expect(task.status).toBe('on-hold');
    const [issue] = await issuesOf(world, task.id);
    expect(issue).toMatchObject({ severity: 'high', code: { coding: [{ code: 'identity-mismatch' }] } });
    expect(issue?.detail).toContain('date de naissance, sexe');
    expect(issue?.detail).not.toContain('1985');
    const decided = {
      ...issue!,
      status: 'final' as const,
      mitigation: mitigation('identity-confirmed'),
    };
    await expect(world.store.transaction(world.as('radiologist'), (tx) => tx.update(decided))).rejects.toMatchObject({
      status: 403,
    });
    await expect(
      world.store.transaction(world.as('quality'), (tx) => tx.delete('DetectedIssue', issue!.id!)),
    ).rejects.toMatchObject({ status: 422 });
    await world.store.transaction(world.as('quality'), (tx) => tx.update(decided));
    expect(stateOf(await world.task(task.id))).toBe('protocol-wanted');
  });

  it('that gives numbers of two known patients is held, and mixes neither with the other', async () => {
    const [one, two] = [person(), person()];
    const numbered = (who: typeof one, ...of: (typeof one)[]) =>
      patient(who, { identifier: of.flatMap((each) => patient(each).identifier!.slice(0, 1)), birthDate: undefined });
    const { task: first } = await send(world, request(one, { patient: numbered(one, one) }));
    const { task: second } = await send(world, request(two, { patient: numbered(two, two) }));
    expect(second.for).not.toEqual(first.for);
    const { task } = await send(world, request(one, { patient: numbered(one, one, two) }));
    expect(stateOf(task)).toBe('identity-hold');
    const { task: next } = await send(world, request(two, { patient: numbered(two, two) }));
    expect(next.for).toEqual(second.for);
    expect(await world.store.search(tenant, 'Patient', `identifier=${two.ipp}`)).toHaveLength(1);
  });

  it('of another hospital that names its numbers alike is of a patient of its own, and shows nobody the other', async () => {
    const neighbour = 'ch-voisin';
    await world.store.transaction(world.as('administrator'), (tx) => tx.update(hospital([], neighbour)));
    const from = (establishment: string, incoming: ReturnType<typeof request>) =>
      world.store.transaction({ ...world.as('ris', 'hl7v2:ORM^O01'), establishments: [establishment] }, (tx) =>
        world.room.receiveRequest(tx, incoming, establishment),
      ) as ReturnType<typeof send>;
    const [one, other] = [person(), person()];
    const numbered = (who: typeof one, changes = {}) =>
      patient(who, { identifier: [{ ...patient(one).identifier![0], system: `${ippSystem}-SIH` }], ...changes });
    const { task: first } = await from('ch-exemple', request(one, { patient: numbered(one) }));
    const { task } = await from(neighbour, request(other, { patient: numbered(other) }));
    expect(stateOf(task)).toBe('protocol-wanted');
    expect(task.for).not.toEqual(first.for);
    const { task: again } = await from(neighbour, request(other, { patient: numbered(other) }));
    expect(again.for).toEqual(task.for);
    const { task: own } = await from('ch-exemple', request(one, { patient: numbered(one) }));
    expect(own.for).toEqual(first.for);
    const contradicted = await from(
      'ch-exemple',
      request(one, { patient: numbered(one, { birthDate: '1931-02-03' }) }),
    );
    expect(stateOf(contradicted.task)).toBe('identity-hold');
  });

  it('with another INS on a known IPP is a collision, and changes nothing of the known patient', async () => {
    const who = person();
    const first = await send(world, request(who));
    const before = await world.store.search(tenant, 'Patient', `identifier=${who.ipp}`);
    const { task } = await send(world, request(who, { patient: patient({ ipp: who.ipp, ins: person().ins }) }));
    expect(stateOf(task)).toBe('identity-hold');
    expect(await world.store.search(tenant, 'Patient', `identifier=${who.ipp}`)).toEqual(before);
    expect(first.task.for).toEqual(task.for);
    const [issue] = await issuesOf(world, task.id);
    expect(issue?.code?.coding?.[0]?.code).toBe('ins-collision');
  });

  it('without INS nor IPP is refused and leaves nothing', async () => {
    const number = `DEM-${fresh()}`;
    await expect(
      send(world, request(person(), { patient: { resourceType: 'Patient', name: [{ family: 'X' }] } }, number)),
    ).rejects.toMatchObject({ status: 422 });
    expect(await world.store.search(tenant, 'ServiceRequest', `identifier=${number}`)).toHaveLength(0);
  });

  it('whose number already means another patient is refused', async () => {
    const number = `DEM-${fresh()}`;
    await send(world, request(person(), {}, number));
    await expect(send(world, request(person(), {}, number))).rejects.toMatchObject({ status: 422 });
  });

  it('from an establishment that is switched off is refused by name', async () => {
    const off = hospital(
      [
        { url: 'live', valueBoolean: true },
        { url: 'liveFrom', valueDateTime: '2026-06-01T00:00:00+02:00' },
      ],
      'ch-ferme',
    );
    await world.store.transaction(world.as('administrator'), (tx) => tx.update({ ...off, identifier: undefined }));
    await expect(send(world, request(person()), 'ch-ferme')).rejects.toMatchObject({
      status: 422,
      message: expect.stringContaining("n'est pas ouvert"),
    });
  });

  it('of an establishment without protocol step goes on without it, and says so', async () => {
    const without = hospital([{ url: 'protocolRequired', valueBoolean: false }], 'ch-direct');
    await world.store.transaction(world.as('administrator'), (tx) => tx.update({ ...without, identifier: undefined }));
    const { task } = await send(world, request(person()), 'ch-direct');
    expect(stateOf(task)).toBe('protocoled');
    expect(task.note?.[0]?.text).toContain('protocole omise');
  });

  it('of an establishment that collects consent itself is not read before it is recorded; an emergency is an exception', async () => {
    const asks = hospital(
      [
        { url: 'consentByOrder', valueBoolean: false },
        { url: 'protocolRequired', valueBoolean: false },
      ],
      'ch-consent',
    );
    await world.store.transaction(world.as('administrator'), (tx) => tx.update({ ...asks, identifier: undefined }));
    const emergency = await send(world, request(person(), { encounterClass: 'E' }), 'ch-consent');
    const [exception] = await world.store.search(tenant, 'Consent', `patient=${emergency.task.for?.reference}`);
    expect(exception?.category[0]?.coding?.[0]?.code).toBe('emergency-exception');
    const who = person();
    const { task } = await send(world, request(who, { encounterClass: 'O' }), 'ch-consent');
    await world.images(study(who, uid()), { '1': 1 });
    await world.operate('technologist', 'complete-images', task.id);
    await world.operate('technologist', 'confirm-images', task.id);
    expect(stateOf(await world.task(task.id))).toBe('ready');
    await expect(world.operate('radiologist', 'claim', task.id)).rejects.toMatchObject({
      status: 422,
      outcome: { issue: [{ details: { coding: [{ code: 'consent' }] } }] },
    });
    await world.store.transaction(world.as('requester'), (tx) =>
      tx.create({
        resourceType: 'Consent',
        status: 'active',
        scope: { coding: [{ code: 'treatment' }] },
        category: [
          {
            coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/consent-category', code: 'remote-reading' }],
          },
        ],
        patient: { reference: task.for?.reference ?? '' },
        policyRule: { text: 'Accord recueilli' },
      }),
    );
    expect(stateOf((await world.operate('radiologist', 'claim', task.id)) as never)).toBe('reading');
  });
});

describe('a cancellation', () => {
  it('ends the case before flow 4, with its reason, and revokes the order', async () => {
    const who = person();
    const number = `DEM-${fresh()}`;
    const { task } = await send(world, request(who, {}, number));
    const { task: cancelled } = await cancel(number, who, 'Patient transféré');
    expect(cancelled).toMatchObject({ id: task.id, status: 'cancelled', statusReason: { text: 'Patient transféré' } });
    const order = await world.store.read(
      tenant,
      'ServiceRequest',
      task.focus?.reference?.slice('ServiceRequest/'.length) ?? '',
    );
    expect(order.status).toBe('revoked');
    await expect(send(world, request(who, {}, number))).rejects.toMatchObject({ status: 422 });
  });

  it('of an unknown number is not found; of another patient it is refused', async () => {
    await expect(cancel('DEM-INCONNUE', person())).rejects.toMatchObject({ status: 404 });
    const number = `DEM-${fresh()}`;
    await send(world, request(person(), {}, number));
    await expect(cancel(number, person())).rejects.toMatchObject({ status: 422 });
  });

  it('by operation belongs to the requester and the coordinator', async () => {
    const { task } = await send(world, request(person()));
    await expect(world.operate('radiologist', 'cancel', task.id, { reason: 'x' })).rejects.toMatchObject({
      status: 403,
    });
    expect(stateOf((await world.operate('requester', 'cancel', task.id, { reason: 'Erreur' })) as never)).toBe(
      'cancelled',
    );
  });
});

describe('a refusal', () => {
  it('needs a reason and is answered to the hospital', async () => {
    const { task } = await send(world, request(person()));
    await expect(world.operate('radiologist', 'refuse', task.id)).rejects.toMatchObject({ status: 422 });
    const before = world.queued.length;
    const refused = await world.operate('radiologist', 'refuse', task.id, { reason: 'Non justifié' });
    expect(refused).toMatchObject({ status: 'rejected', statusReason: { text: 'Non justifié' } });
    expect(world.queued.slice(before)).toMatchObject([{ kind: 'request-answer', focus: `Task/${task.id}` }]);
  });
});

describe('flow 4', () => {
  it('keeps what it says with the case, byte for byte, and only once when repeated', async () => {
    const who = person();
    const number = `DEM-${fresh()}`;
    const studyUid = uid();
    const { task } = await send(world, request(who, {}, number));
    const url = 'https://drimbox.ch-exemple.fr/viewer?requestType=STUDY&studyUID=1.2&accessionNumber=A%20B';
    const product = {
      resourceType: 'MedicationAdministration' as const,
      status: 'completed' as const,
      medicationCodeableConcept: { text: 'FDG' },
      effectiveDateTime: '2026-05-12',
    };
    const complement = exam(who, number, studyUid, {
      partialViewerUrl: url,
      products: [product],
      device: { resourceType: 'Device', identifier: [{ system: 'urn:x', value: 'SN4471' }] },
    });
    await complete(world, [complement]);
    const twice = await complete(world, [complement]);
    const items = (name: string) => twice.input?.filter((each) => each.type.coding?.[0]?.code === name) ?? [];
    expect(items('partial-viewer-url').map((each) => each.valueUrl)).toEqual([url]);
    expect(items('act').map((each) => each.valueCodeableConcept?.coding?.[0]?.code)).toEqual(['30799-1']);
    expect(items('retention-days').map((each) => each.valueInteger)).toEqual([730]);
    expect(items('encounter-class')).toHaveLength(1);
    const given = await world.store.search(tenant, 'MedicationAdministration', `patient=${task.for?.reference}`);
    expect(given).toHaveLength(1);
    const order = await world.store.read(
      tenant,
      'ServiceRequest',
      task.focus?.reference?.slice('ServiceRequest/'.length) ?? '',
    );
    expect(order.identifier?.map((each) => each.value)).toEqual([
      number,
      complement.accessionNumber.value,
      `urn:oid:${studyUid}`,
    ]);
    expect(outputs(twice, 'imaging-study')).toHaveLength(0);
  });

  it('for a cancelled request is refused', async () => {
    const who = person();
    const number = `DEM-${fresh()}`;
    await send(world, request(who, {}, number));
    await cancel(number, who);
    await expect(complete(world, [exam(who, number, uid())])).rejects.toMatchObject({ status: 422 });
  });
});
