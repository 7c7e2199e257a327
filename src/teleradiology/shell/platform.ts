/** The platform's own Organization: signs reports with the radiologist, and is where coordinators are reached. */
import type { FhirTransaction } from '../../fhir/index.ts';
import { type EstablishmentSettings, establishmentSettings } from '../settings.ts';
import { idOf } from './case-task.ts';

/** The one the establishment's settings name, else the owner of the platform's Device. */
export async function platformId(tx: FhirTransaction, settings?: EstablishmentSettings): Promise<string | undefined> {
  const named = idOf({ reference: settings?.platform }, 'Organization');
  if (named !== undefined) return named;
  const device = await tx.find('Device', 'passerelle');
  return idOf(device?.owner, 'Organization');
}

/** The platform where no establishment is known: the Device's owner, else the one any establishment names. */
export async function anyPlatformId(tx: FhirTransaction): Promise<string | undefined> {
  const own = await platformId(tx);
  if (own !== undefined) return own;
  for (const organization of await tx.search('Organization', '_count=200')) {
    const named = idOf({ reference: establishmentSettings(organization).platform }, 'Organization');
    if (named !== undefined) return named;
  }
  return undefined;
}
