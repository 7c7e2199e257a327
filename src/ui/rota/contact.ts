/** Telephone and e-mail of a professional, as the rota and the operator's page use them. */
import type { ContactPoint, Practitioner } from '@medplum/fhirtypes';

type Means = 'phone' | 'email';

/** The one that is used: the best rank, then a mobile, then the others in their order. */
export function contactOf(practitioner: Practitioner, means: Means): string {
  return pointOf(practitioner.telecom, means)?.value ?? '';
}

function pointOf(telecom: readonly ContactPoint[] | undefined, means: Means): ContactPoint | undefined {
  const place = ({ rank, use }: ContactPoint): number => rank ?? (use === 'mobile' ? 100 : use === 'work' ? 101 : 102);
  return (telecom ?? [])
    .filter(({ system, use }) => system === means && use !== 'old' && use !== 'home')
    .sort((one, other) => place(one) - place(other))[0];
}

/** With this number or address in the place of the one in use; without it when it is empty. Others stay. */
export function withContact(practitioner: Practitioner, means: Means, value: string): Practitioner {
  const used = pointOf(practitioner.telecom, means);
  const others = (practitioner.telecom ?? []).filter((point) => point !== used);
  const telecom = value === '' ? others : [{ system: means, use: 'work' as const, rank: 1, ...used, value }, ...others];
  const { telecom: _before, ...rest } = practitioner;
  return { ...rest, ...(telecom.length > 0 ? { telecom } : {}) };
}
