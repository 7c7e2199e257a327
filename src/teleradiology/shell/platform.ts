/** The platform's own Organization: signs reports with the radiologist, and is where coordinators are reached. */
import type { FhirTransaction } from '../../fhir/index.ts';
import type { EstablishmentSettings } from '../settings.ts';
import { idOf } from './case-task.ts';

/** The one the establishment's settings name, else the owner of the platform's Device. */
export async function platformId(tx: FhirTransaction, settings?: EstablishmentSettings): Promise<string | undefined> {
  const named = idOf({ reference: settings?.platform }, 'Organization');
  if (named !== undefined) return named;
  const device = await tx.find('Device', 'passerelle');
  return idOf(device?.owner, 'Organization');
}
