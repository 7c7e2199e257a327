/** A machine as a whole: its client, its account with a role, the Device it acts as; all of one establishment. */
import type { Context, FhirStore } from '../../fhir/index.ts';
import { type AccountRequest, findAccount } from '../accounts.ts';
import { type ClientRequest, checkClient, RegistrationError, type RegistryRooms, storeClient } from './registration.ts';

export interface MachineRooms extends RegistryRooms {
  store: Pick<FhirStore, 'transaction'>;
  access: { ensureAccount(request: AccountRequest): Promise<void> };
}

/**
 * Registers a machine; the Device is made when there is none of that id.
 * @throws RegistrationError; FhirError 409, 422 from the account.
 */
export async function registerMachine(
  rooms: MachineRooms,
  context: Context,
  request: ClientRequest,
  { roles, device = request.id }: { roles: readonly string[]; device?: string },
): Promise<void> {
  checkClient(request, rooms);
  const { tenant, id, display, organizationId = '' } = request;
  const account = await findAccount(rooms.database, id);
  if (account && (account.tenant !== tenant || account.kind !== 'machine')) {
    throw new RegistrationError(`le compte ${id} est à quelqu’un d’autre`);
  }
  const owner = { reference: `Organization/${organizationId}` };
  if (!/^[A-Za-z0-9.-]{1,64}$/.test(device))
    throw new RegistrationError('cet identifiant ne peut être celui d’un Device : donnez-en un par --device');
  await rooms.store.transaction(context, async (tx) => {
    if (!(await tx.find('Organization', organizationId))) {
      throw new RegistrationError(`aucune Organization/${organizationId} dans ${tenant}`);
    }
    const known = await tx.find('Device', device);
    // A device of another establishment would let the machine speak for that one.
    if (known && known.owner?.reference !== owner.reference) {
      throw new RegistrationError(`Device/${device} n’est pas de ${owner.reference}`);
    }
    if (known) return;
    await tx.update({
      resourceType: 'Device',
      id: device,
      status: 'active',
      deviceName: [{ name: display, type: 'user-friendly-name' }],
      owner,
    });
  });
  await rooms.access.ensureAccount({
    ...{ tenant, login: id, kind: 'machine', reference: `Device/${device}`, display, roles, organizationId },
  });
  await storeClient(rooms, request);
}
