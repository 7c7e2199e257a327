/** Passkeys in the browser (WebAuthn): the server asks, the authenticator answers, the server decides. */
import {
  browserSupportsWebAuthn,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  startAuthentication,
  startRegistration,
} from '@simplewebauthn/browser';
import { ask } from './people-client.ts';

/** Whether passkeys of this host work in this browser. @param host the server's, null when it holds none. */
export function canUsePasskeys(host: string | null | undefined): boolean {
  if (!host || !browserSupportsWebAuthn()) return false;
  return location.hostname === host || location.hostname.endsWith(`.${host}`);
}

/** Makes one. @param path where the options come from, under `/oauth2`; `end` is where the answer goes. */
export async function createPasskey<T>(path: string, end: string, label: string): Promise<T> {
  const { options, ticket } = await ask<{ options: PublicKeyCredentialCreationOptionsJSON; ticket: string }>(
    'POST',
    path,
    {},
  );
  const response = await withFrenchErrors(startRegistration({ optionsJSON: options }));
  return ask<T>('POST', end, { ticket, response, label });
}

/** Proves one. */
export async function provePasskey<T>(path: string, end: string): Promise<T> {
  const { options, ticket } = await ask<{ options: PublicKeyCredentialRequestOptionsJSON; ticket: string }>(
    'POST',
    path,
    {},
  );
  const response = await withFrenchErrors(startAuthentication({ optionsJSON: options }));
  return ask<T>('POST', end, { ticket, response });
}

/** A name by which its owner knows it again. */
export function passkeyLabel(): string {
  const system = /Windows|Android|iPhone|iPad|Mac OS|Linux/.exec(navigator.userAgent)?.[0];
  return system ? `Clé sur ${system}` : 'Clé d’accès';
}

async function withFrenchErrors<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (name === 'InvalidStateError') throw new Error('Cette clé est déjà enregistrée sur votre compte.');
    if (name === 'NotAllowedError' || name === 'AbortError')
      throw new Error('La clé n’a pas été utilisée : geste annulé, ou délai dépassé.');
    throw new Error('La clé n’a pas pu être utilisée sur ce poste.');
  }
}
