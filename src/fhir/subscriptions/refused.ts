import { FhirError } from '../contract.ts';

/** A Subscription this server cannot honour. @param element below `Subscription`. */
export function refused(element: string, why: string): FhirError {
  return new FhirError(422, 'not-supported', why, `Subscription.${element}`);
}
