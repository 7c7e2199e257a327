/** Where somebody reads e-mail: the e-mail `telecom` of a Practitioner, PractitionerRole or Organization that is in use, best rank first. */
import type { ContactPoint, Organization, Practitioner, PractitionerRole } from '@medplum/fhirtypes';

type Reachable = Practitioner | PractitionerRole | Organization;
/** Reads a party; undefined when there is none of this id. */
export type FindParty = <T extends Reachable['resourceType']>(
  type: T,
  id: string,
) => Promise<Extract<Reachable, { resourceType: T }> | undefined>;

/** One mailbox as RFC 5321 writes it, without comments, quotes or address literals: nothing that could be read as two. */
const mailbox = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}\.)+[A-Za-z0-9-]{2,63}$/;
const lastRank = Number.MAX_SAFE_INTEGER;

/** The address in use now: not old, inside its period, the best `rank` first, then in the order they are written. */
function addressAmong(telecom: readonly ContactPoint[] | undefined, now: Date): string | undefined {
  const inUse = (telecom ?? []).filter(
    ({ system, use, value, period }) =>
      system === 'email' &&
      use !== 'old' &&
      value !== undefined &&
      mailbox.test(value.trim()) &&
      !(period?.start && Date.parse(period.start) > now.getTime()) &&
      !(period?.end && Date.parse(endOf(period.end)) < now.getTime()),
  );
  const best = inUse.toSorted((a, b) => (a.rank ?? lastRank) - (b.rank ?? lastRank))[0];
  return best?.value?.trim();
}

/** A day ends with its last instant. */
const endOf = (dateTime: string): string => (dateTime.length === 10 ? `${dateTime}T23:59:59Z` : dateTime);

/** Address of who a reference names; a role without one is reached as the person who holds it. */
export async function mailAddress(find: FindParty, reference: string, now: Date): Promise<string | undefined> {
  const [type, id = ''] = reference.split('/');
  switch (type) {
    case 'Practitioner':
      return addressAmong((await find('Practitioner', id))?.telecom, now);
    case 'Organization':
      return addressAmong((await find('Organization', id))?.telecom, now);
    case 'PractitionerRole': {
      const role = await find('PractitionerRole', id);
      const own = addressAmong(role?.telecom, now);
      const holder = role?.practitioner?.reference;
      return own ?? (holder?.startsWith('Practitioner/') ? mailAddress(find, holder, now) : undefined);
    }
    default:
      return undefined;
  }
}
