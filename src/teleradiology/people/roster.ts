/** Radiologists of an establishment as they are now (CM-2): how to reach them, and whether they may read. */
import type { Parameters, ParametersParameter, Practitioner, PractitionerRole } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { idOf } from '../shell/case-task.ts';
import { contactOf, nameOf } from './names.ts';
import { qualificationsOf, qualificationsWanting } from './qualification.ts';
import { roleSystem } from './reader-role.ts';
import { readerStanding } from './reader-standing.ts';

/** An establishment has a few dozen; more than this is not a list to read from. */
const atMost = 500;

export async function roster(tx: FhirTransaction, establishmentId: string): Promise<Parameters> {
  await tx.whole.read('Organization', establishmentId);
  const token = encodeURIComponent(`${roleSystem}|radiologist`);
  const roles = await tx.whole.search(
    'PractitionerRole',
    `organization=Organization/${establishmentId}&role=${token}&_count=${atMost}`,
  );
  const now = tx.context.now();
  const lines: { name: string; line: ParametersParameter }[] = [];
  for (const [id, own] of Map.groupBy(roles, (role) => idOf(role.practitioner, 'Practitioner') ?? '')) {
    const practitioner = id === '' ? undefined : await tx.whole.find('Practitioner', id);
    if (practitioner === undefined) continue;
    const standing = await readerStanding(tx, `Practitioner/${id}`, `Organization/${establishmentId}`, now);
    const role = own.find((each) => inForce(each, now));
    if (role === undefined && !standing.excluded) continue;
    lines.push({ name: nameOf(practitioner), line: lineOf(practitioner, role ?? own[0], standing, now) });
  }
  lines.sort((a, b) => a.name.localeCompare(b.name, 'fr'));
  return {
    resourceType: 'Parameters',
    ...(lines.length > 0 ? { parameter: lines.map(({ line }) => line) } : {}),
  };
}

function inForce({ active, period }: PractitionerRole, now: Date): boolean {
  if (active === false) return false;
  if (period?.start !== undefined && Date.parse(period.start) > now.getTime()) return false;
  return period?.end === undefined || Date.parse(period.end) > now.getTime();
}

function lineOf(
  practitioner: Practitioner,
  role: PractitionerRole | undefined,
  standing: Awaited<ReturnType<typeof readerStanding>>,
  now: Date,
): ParametersParameter {
  const phone = contactOf('phone', role, practitioner);
  const email = contactOf('email', role, practitioner);
  const reference = { reference: `Practitioner/${practitioner.id}`, display: nameOf(practitioner) };
  const wanting = qualificationsWanting(qualificationsOf(practitioner), now);
  return {
    name: 'radiologist',
    part: [
      { name: 'practitioner', valueReference: reference },
      ...(phone ? [{ name: 'phone', valueString: phone }] : []),
      ...(email ? [{ name: 'email', valueString: email }] : []),
      { name: 'credentials', valueCode: standing.credentials },
      ...wanting.map((code) => ({ name: 'wanting', valueCode: code })),
      { name: 'excluded', valueBoolean: standing.excluded },
      { name: 'onDuty', valueBoolean: standing.onDuty },
    ],
  };
}
