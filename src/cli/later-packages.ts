/** Packages that are loaded at their first use, perhaps at three in the morning: that they are there is seen at the start. */
import { findPackageJSON } from 'node:module';
import { CommandError } from './command-error.ts';

export const laterPackages = [
  '@atomic-ehr/ucum',
  '@medplum/core',
  '@simplewebauthn/server',
  '@xmldom/xmldom',
  'age-encryption',
  'ajv',
  'bwip-js',
  'graphql',
  'jose',
  'jsrsasign',
  'ldapts',
  'nodemailer',
  'openid-client',
  'otplib',
  'pdfkit',
] as const;

/** Looks for each without loading it. @throws CommandError naming what is not installed. */
export function expectLaterPackages(names: readonly string[] = laterPackages): void {
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length > 0) throw new CommandError(`Pas installé : ${missing.join(', ')}. Lancez npm ci.`);
}

function isInstalled(name: string): boolean {
  try {
    return findPackageJSON(name, import.meta.url) !== undefined;
  } catch {
    return false;
  }
}
