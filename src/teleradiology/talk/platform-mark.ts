/**
 * Tells what our rules write from what a client sends, where both come in one transaction: a key that JSON cannot have. It is copied with the
 * object and never stored.
 */
import type { Resource } from '@medplum/fhirtypes';

const mark = Symbol('written by the platform');

export function fromPlatform<T extends Resource>(resource: T): T {
  return Object.assign(resource, { [mark]: true });
}

export function isFromPlatform(resource: Resource): boolean {
  return mark in resource;
}
