/** How the platform reaches its own people is not for the software of an establishment to change: alerts go there (CM-2, WF-4). */
import type { Practitioner } from '@medplum/fhirtypes';
import type { Change, FhirTransaction } from '../../fhir/index.ts';
import { codeOf, codeSystem } from '../codes.ts';
import { keepsRegister, refusal } from './entitled.ts';
import { qualificationsOf } from './qualification.ts';
import { roleSystem } from './reader-role.ts';

/** Roles of who works for the platform. */
const ofThePlatform: readonly (string | undefined)[] = ['radiologist', 'expert', 'coordinator'];

/** @throws FhirError 422 for a machine that changes name, numbers or addresses of a reader or a coordinator. */
export async function guardContact(change: Change, tx: FhirTransaction): Promise<void> {
  const [before, after] = [change.before, change.after] as (Practitioner | undefined)[];
  if (before === undefined || tx.context.actor.kind !== 'machine' || keepsRegister(tx)) return;
  if (after !== undefined && known(before) === known(after)) return;
  if (!(await worksForPlatform(tx, before, change.id))) return;
  throw refusal(
    422,
    'business-rule',
    'Readers and coordinators are kept in the directory by administrators',
    'L’administrateur tient la fiche des radiologues et des coordonnateurs : demandez-lui la correction.',
    'Practitioner',
  );
}

const known = ({ active, name, identifier, telecom }: Practitioner): string =>
  JSON.stringify([active, name, identifier, telecom]);

async function worksForPlatform(tx: FhirTransaction, practitioner: Practitioner, id: string): Promise<boolean> {
  if (qualificationsOf(practitioner).length > 0) return true;
  const roles = await tx.search('PractitionerRole', `practitioner=Practitioner/${id}`);
  if (roles.some(({ code }) => code?.some((each) => ofThePlatform.includes(codeOf(each, roleSystem))))) return true;
  const aCase = encodeURIComponent(`${codeSystem.taskCode}|teleradiology-case`);
  return (await tx.search('Task', `owner=Practitioner/${id}&code=${aCase}&_count=1`)).length > 0;
}
