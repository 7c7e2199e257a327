/** A hospital, a platform and their people on a real store; imaging, report and delivery by their contracts, the clock by hand. */
import type { Organization, Parameters, Resource, Task } from '@medplum/fhirtypes';
import type { Database } from '../../../src/db/index.ts';
import type { DeliveryItem, DeliveryResult, OutcomeHook } from '../../../src/delivery/contract.ts';
import { type Context, createFhirStore, type FhirStore, systemContext } from '../../../src/fhir/index.ts';
import type { StudyEvent, StudyHook, StudyIdentity } from '../../../src/imaging/contract.ts';
import type { ReportInput } from '../../../src/report/contract.ts';
import { createTeleradiology, type Room, type TeleradiologyRoom } from '../../../src/teleradiology/index.ts';
import { testDatabase } from '../../support/database.ts';

export const tenant = 'aa';
export const settingsUrl = 'https://fhir.passerelle.example/StructureDefinition/establishment-settings';

export type Who =
  | 'radiologist'
  | 'other-radiologist'
  | 'expert'
  | 'requester'
  | 'technologist'
  | 'coordinator'
  | 'quality'
  | 'ris'
  | 'administrator';

export interface World {
  database: Database;
  store: FhirStore;
  room: TeleradiologyRoom;
  clock: { now(): Date; set(instant: string): void; pass(ms: number): void };
  queued: (DeliveryItem & { task?: string })[];
  quarantined: Map<string, string>;
  /** Cases whose queued reports are kept back. */
  held: Set<string>;
  /** Inputs of the documents built so far. */
  built: ReportInput[];
  /** Happens once, while the next report's documents are made. */
  whileBuilding?: (() => Promise<void>) | undefined;
  as(who: Who, interaction?: string): Context;
  operate(
    who: Who,
    name: string,
    id: string,
    parameters?: Record<string, string | string[]>,
    ifMatch?: string,
  ): Promise<Resource>;
  task(id: string): Promise<Task>;
  /** Stores images by way of the imaging contract: the ImagingStudy first, then the hook, in one transaction. */
  images(
    study: StudyIdentity,
    series: Record<string, number>,
    options?: {
      quarantine?: string;
      imagingStudyId?: string;
      started?: string;
      laterality?: string;
      /** Whose PACS sends them. */
      establishment?: string;
    },
  ): Promise<void>;
  outcome(item: DeliveryItem, result: DeliveryResult): Promise<void>;
  /** Another server on the same database. */
  anotherRoom(): Promise<TeleradiologyRoom>;
  /** This server is gone; a new one takes over on the same database, with nothing in memory. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

const people: Record<Who, { reference: string; roles: string[]; kind: 'person' | 'machine' }> = {
  radiologist: { reference: 'Practitioner/radiologue', roles: ['radiologist'], kind: 'person' },
  'other-radiologist': { reference: 'Practitioner/radiologue-2', roles: ['radiologist'], kind: 'person' },
  expert: { reference: 'Practitioner/expert', roles: ['expert'], kind: 'person' },
  requester: { reference: 'Practitioner/demandeur', roles: ['requester'], kind: 'person' },
  technologist: { reference: 'Practitioner/manipulateur', roles: ['technologist'], kind: 'person' },
  coordinator: { reference: 'Practitioner/coordonnateur', roles: ['coordinator'], kind: 'person' },
  quality: { reference: 'Practitioner/qualite', roles: ['quality'], kind: 'person' },
  ris: { reference: 'Device/ris-demo', roles: ['ris'], kind: 'machine' },
  administrator: { reference: 'Practitioner/admin', roles: ['administrator'], kind: 'person' },
};

export function hospital(settings: Record<string, unknown>[] = [], id = 'ch-exemple'): Organization & { id: string } {
  return {
    resourceType: 'Organization',
    id,
    name: 'CH-EXEMPLE IMAGERIE',
    identifier: [
      {
        type: { coding: [{ system: 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203', code: 'FINEG' }] },
        system: 'https://finess.esante.gouv.fr',
        value: '330099995',
      },
    ],
    extension: [
      {
        url: settingsUrl,
        extension: [
          { url: 'quietSeconds', valueInteger: 3 },
          { url: 'platform', valueReference: { reference: 'Organization/passerelle-exemple' } },
          ...settings,
        ] as unknown as Organization['extension'],
      },
    ],
  };
}

/** Real rooms in place of the doubles. */
export type Rooms = (rooms: { database: Database; store: FhirStore; clock: { now(): Date } }) => Promise<Partial<Room>>;

export async function createWorld(
  start = '2026-05-12T06:10:00Z',
  settings: Record<string, unknown>[] = [],
  rooms: Rooms = async () => ({}),
): Promise<World> {
  const database = await testDatabase();
  let store = await createFhirStore({ database, checkReferences: true });
  let instant = new Date(start).getTime();
  const clock: World['clock'] = {
    now: () => new Date(instant),
    set: (text) => {
      instant = new Date(text).getTime();
    },
    pass: (ms) => {
      instant += ms;
    },
  };
  const queued: World['queued'] = [];
  const quarantined = new Map<string, string>();
  const held = new Set<string>();
  const built: ReportInput[] = [];
  const studyHooks: StudyHook[] = [];
  const outcomeHooks: OutcomeHook[] = [];
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

  const parts = (into: FhirStore, studies: StudyHook[], outcomes: OutcomeHook[]) => ({
    database,
    store: into,
    clock,
    log,
    signerFor: async () => ({ certificate: '', chain: [], privateKey: '' }),
    imaging: {
      store: async () => [],
      onStudy: (hook: StudyHook) => void studies.push(hook),
      quarantine: async (_tx: unknown, uid: string, reason: string) => void quarantined.set(uid, reason),
      liftQuarantine: async (_tx: unknown, uid: string) => void quarantined.delete(uid),
    },
    report: {
      lint: (input: ReportInput) =>
        Object.entries(input.text)
          .filter(([, text]) => text.trim() === '')
          .map(([code]) => ({
            severity: 'error' as const,
            code: `missing-${code}`,
            text: `Chapitre manquant : ${code}.`,
          })),
      build: async (input: ReportInput) => {
        built.push(input);
        const meanwhile = world.whileBuilding;
        world.whileBuilding = undefined;
        await meanwhile?.();
        const pdf = Buffer.from(`%PDF-1.4 ${input.document.oid}`);
        const cda = Buffer.from(`<ClinicalDocument id="${input.document.oid}"/>`);
        return { pdf, cda, pdfSha256: 'ab'.repeat(32), cdaSha256: 'cd'.repeat(32), title: "Compte rendu d'imagerie" };
      },
    },
    delivery: {
      enqueue: async (_tx: unknown, item: { destination: string; kind: string; focus: string; task?: string }) => {
        const id = `D${queued.length + 1}`;
        queued.push({ ...item, id, tenant, queuedAt: clock.now(), attempts: 0 });
        return id;
      },
      hold: async (_tx: unknown, focus: string) => void held.add(focus),
      release: async (_tx: unknown, focus: string) => void held.delete(focus),
      registerDestination: () => undefined,
      onOutcome: (hook: OutcomeHook) => void outcomes.push(hook),
      start: async () => undefined,
      stop: async () => undefined,
      replay: async () => undefined,
    },
  });
  const room = createTeleradiology({
    ...parts(store, studyHooks, outcomeHooks),
    ...(await rooms({ database, store, clock })),
  });

  const contextOf = (who: Who, interaction = 'test'): Context => ({
    tenant,
    actor: { ...people[who], display: who, account: who },
    requestId: 'r',
    interaction,
    now: clock.now,
  });
  const system = () => systemContext(tenant, 'system:test', clock);

  const world: World = {
    database,
    store,
    room,
    clock,
    queued,
    quarantined,
    held,
    built,
    as: contextOf,
    async operate(who, name, id, parameters = {}, ifMatch) {
      const operation = store.operations.find((each) => each.name === name && each.type === 'Task');
      if (operation === undefined) throw new Error(`no operation ${name}`);
      return store.transaction(contextOf(who, `operation:Task/$${name}`), async (tx) => {
        const answer = await operation.run({
          tx,
          id,
          parameters: parametersOf(parameters),
          ifMatch,
          base: 'http://localhost/fhir',
          query: '',
          authorize: () => undefined,
          isAllowed: () => true,
        });
        if (!('resourceType' in answer)) throw new Error(`$${name} answered no resource`);
        return answer;
      });
    },
    task: (id) => store.read(tenant, 'Task', id),
    async images(identity, series, options = {}) {
      const { quarantine, imagingStudyId = `study-${identity.studyInstanceUid.replaceAll('.', '-')}` } = options;
      const instances = Object.values(series).reduce((sum, count) => sum + count, 0);
      const establishments = options.establishment ? { establishments: [options.establishment] } : {};
      await store.transaction({ ...contextOf('technologist', 'dicomweb:stow'), ...establishments }, async (tx) => {
        const known = await tx.find('ImagingStudy', imagingStudyId);
        await tx.update({
          resourceType: 'ImagingStudy',
          subject: { display: 'inconnu' },
          status: 'registered',
          ...(options.started ? { started: options.started } : {}),
          ...known,
          id: imagingStudyId,
          identifier: [{ system: 'urn:dicom:uid', value: `urn:oid:${identity.studyInstanceUid}` }],
          numberOfInstances: instances,
          series: Object.entries(series).map(([uid, count]) => ({
            uid,
            modality: { code: identity.modalities[0] ?? 'CT' },
            numberOfInstances: count,
            ...(options.laterality
              ? { laterality: { system: 'http://snomed.info/sct', code: options.laterality } }
              : {}),
          })),
        });
        for (const hook of studyHooks)
          await hook(
            {
              identity,
              imagingStudyId,
              instances,
              series: Object.keys(series).length,
              first: !known,
              quarantine,
            } satisfies StudyEvent,
            tx,
          );
      });
    },
    async outcome(item, result) {
      await store.transaction(system(), async (tx) => {
        for (const hook of outcomeHooks) await hook(item, result, tx);
      });
    },
    async anotherRoom() {
      const otherStore = await createFhirStore({ database, checkReferences: true });
      return createTeleradiology(parts(otherStore, [], []));
    },
    async restart() {
      store = await createFhirStore({ database, checkReferences: true });
      studyHooks.length = 0;
      outcomeHooks.length = 0;
      world.store = store;
      world.room = createTeleradiology({
        ...parts(store, studyHooks, outcomeHooks),
        ...(await rooms({ database, store, clock })),
      });
    },
    close: () => database.close(),
  };
  await store.transaction(system(), async (tx) => {
    await tx.update({
      resourceType: 'Organization',
      id: 'passerelle-exemple',
      name: 'PASSERELLE EXEMPLE',
      identifier: [
        {
          type: { coding: [{ system: 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203', code: 'FINEG' }] },
          system: 'https://finess.esante.gouv.fr',
          value: '750099970',
        },
      ],
    });
    await tx.update(hospital(settings));
    for (const id of ['passerelle', 'ris-demo']) await tx.update({ resourceType: 'Device', id });
    const named = {
      radiologue: '99700990031',
      'radiologue-2': '99700990056',
      expert: '99700990064',
      demandeur: '99700990015',
    } as Record<string, string>;
    for (const id of [
      'radiologue',
      'radiologue-2',
      'expert',
      'demandeur',
      'manipulateur',
      'coordonnateur',
      'qualite',
      'admin',
    ]) {
      const rpps = named[id];
      await tx.update({
        resourceType: 'Practitioner',
        id,
        name: [{ family: `TEST-${id.toUpperCase()}` }],
        ...(rpps ? { identifier: [{ system: 'https://rpps.esante.gouv.fr', value: rpps }] } : {}),
      });
    }
  });
  return world;
}

function parametersOf(values: Record<string, string | string[]>): Parameters {
  const parameter = Object.entries(values).flatMap(([name, value]) =>
    [value].flat().map((valueString) => ({ name, valueString })),
  );
  return { resourceType: 'Parameters', ...(parameter.length > 0 ? { parameter } : {}) };
}
