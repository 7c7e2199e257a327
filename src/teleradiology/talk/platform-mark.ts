/**
 * Tells what our rules write from what a client sends, where both come in one transaction: a key that JSON cannot have. It is copied with the
 * object and never stored.
 */
import type { Communication } from '@medplum/fhirtypes';

const mark = Symbol('written by the platform');

export function fromPlatform<T extends Communication>(communication: T): T {
  return Object.assign(communication, { [mark]: true });
}

export function isFromPlatform(communication: Communication): boolean {
  return mark in communication;
}
