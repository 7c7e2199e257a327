import { readFileSync } from 'node:fs';

const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');

/** Version of the server, as its descriptions of itself say it. */
export const { version: softwareVersion } = JSON.parse(manifest) as { version: string };
