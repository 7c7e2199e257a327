/**
 * Which AuditEvent each route leaves when it does what it is for, and when it refuses; or why none. A route that is not here fails
 * routes.test.ts: whoever adds one says what it leaves. `/t/:tenant` before an address is the same route in another tenant.
 */
import type { Ask } from './served.ts';
import { password, stow, study } from './served.ts';

export interface Case {
  ask: Ask;
  status: number;
  /** As `words` in served.ts says them, oldest first. */
  leaves: readonly string[];
}

/** A reason instead of a case: nothing is left, and why that is right. */
export interface Row {
  done: Case | string;
  refused: Case | string;
}

const form = { 'content-type': 'application/x-www-form-urlencoded' };
const dicomJson = { accept: 'application/dicom+json' };
const uuid = '00000000-0000-4000-8000-000000000000';

const open = 'shows nobody’s data and is for everybody';
const nobody = 'nobody is known who could be told of: 401, or the page to sign in';
const own = 'the person’s own settings, shown to that person’s session';
const begins = 'a challenge: what it proves is told by the route that takes the answer';
const steps = 'without a sign-in half done nobody is known (401); a wrong proof is in sign-in tests';
const told = 'a 4xx about the form of the request, which nobody’s right decides';

const missing = (method: string, path: string, body?: object): Case => ({
  ask: { by: 'token:radiologist', method, path, ...(body ? { body } : {}) },
  status: 403,
  leaves: ['rest/account 8 token-radiologist'],
});
const forbidden = (method: string, path: string, body?: object): Case => ({
  ask: { by: 'session:radiologist', method, path, ...(body ? { body } : {}) },
  status: 403,
  leaves: ['rest/administration 8 session-radiologist'],
});
const admin = (n: number) => `session:administrator#${n}`;
const changed = (who: string) => `110113/110137+administration 0 ${who}`;

export const table: Readonly<Record<string, Row>> = {
  // Web pages and what anybody may know.
  'GET /': { done: open, refused: open },
  'GET /index.html': { done: open, refused: open },
  'GET /assets/app-1.js': { done: open, refused: open },
  'GET /healthz': { done: open, refused: open },
  'GET /readyz': { done: open, refused: open },
  'GET /metrics': { done: 'numbers of the process for monitoring', refused: nobody },
  'GET /mentions-legales': { done: open, refused: open },
  'GET /mentions-legales.css': { done: open, refused: open },
  'GET /.well-known/security.txt': { done: open, refused: open },
  'GET /.well-known/smart-configuration': { done: open, refused: open },
  'GET /.well-known/openid-configuration': { done: open, refused: open },
  'GET /fhir/.well-known/smart-configuration': { done: open, refused: open },
  'GET /fhir/_page/style.css': { done: open, refused: open },
  'GET /fhir/openapi.json': { done: open, refused: open },
  'GET /oauth2/page.css': { done: open, refused: open },
  'GET /oauth2/jwks': { done: open, refused: open },
  'GET /oauth2/methods': { done: open, refused: open },
  'GET /oauth2/passkey': { done: open, refused: open },

  // The REST API: interactions and operations below.
  'GET /fhir': { done: 'interactions', refused: 'interactions' },
  'POST /fhir': { done: 'interactions', refused: 'interactions' },
  'PUT /fhir': { done: 'no interaction: 405', refused: 'no interaction: 405' },
  'PATCH /fhir': { done: 'no interaction: 405', refused: 'no interaction: 405' },
  'DELETE /fhir': { done: 'no interaction: 405', refused: 'no interaction: 405' },
  'GET /fhir/*': { done: 'interactions', refused: 'interactions' },
  'POST /fhir/*': { done: 'interactions', refused: 'interactions' },
  'PUT /fhir/*': { done: 'interactions', refused: 'interactions' },
  'PATCH /fhir/*': { done: 'interactions', refused: 'interactions' },
  'DELETE /fhir/*': { done: 'interactions', refused: 'interactions' },
  'GET /t/all/fhir/Task': {
    done: {
      ask: { by: 'token:conformance', path: '/t/all/fhir/Task' },
      status: 200,
      leaves: ['rest/search-type 0 token-conformance p1'],
    },
    refused: {
      ask: { by: 'token:switchboard', path: '/t/all/fhir/Task' },
      status: 403,
      leaves: ['rest/search-type 8 token-switchboard'],
    },
  },
  'POST /t/all/fhir/Task/_search': {
    done: {
      ask: { by: 'token:conformance', method: 'POST', path: '/t/all/fhir/Task/_search', headers: form, body: '' },
      ...{ status: 200, leaves: ['rest/search-type 0 token-conformance p1'] },
    },
    refused: {
      ask: { by: 'token:switchboard', method: 'POST', path: '/t/all/fhir/Task/_search', headers: form, body: '' },
      ...{ status: 403, leaves: ['rest/search-type 8 token-switchboard'] },
    },
  },
  'GET /t/all/fhir/ServiceRequest': {
    done: {
      ask: { by: 'token:conformance', path: '/t/all/fhir/ServiceRequest' },
      status: 200,
      leaves: ['rest/search-type 0 token-conformance'],
    },
    refused: {
      ask: { by: 'token:switchboard', path: '/t/all/fhir/ServiceRequest' },
      status: 403,
      leaves: ['rest/search-type 8 token-switchboard'],
    },
  },
  'POST /t/all/fhir/ServiceRequest/_search': {
    done: {
      ask: {
        by: 'token:conformance',
        method: 'POST',
        path: '/t/all/fhir/ServiceRequest/_search',
        headers: form,
        body: '',
      },
      ...{ status: 200, leaves: ['rest/search-type 0 token-conformance'] },
    },
    refused: {
      ask: {
        by: 'token:switchboard',
        method: 'POST',
        path: '/t/all/fhir/ServiceRequest/_search',
        headers: form,
        body: '',
      },
      ...{ status: 403, leaves: ['rest/search-type 8 token-switchboard'] },
    },
  },
  'GET /t/all/fhir/Task/$worklist': {
    done: {
      ask: { by: 'token:conformance', path: '/t/all/fhir/Task/$worklist' },
      ...{ status: 200, leaves: ['rest/operation+operation:Task/$worklist 0 token-conformance'] },
    },
    refused: {
      ask: { by: 'token:switchboard', path: '/t/all/fhir/Task/$worklist' },
      status: 403,
      leaves: ['rest/operation 8 token-switchboard (operation Task worklist)'],
    },
  },
  'GET /fhir/ws': {
    done: 'opens a line; what leaves on it is told as $notify, and who may not bind is told: websocket.test.ts',
    refused: 'an answer without an upgrade: 404',
  },

  // Bulk data. {export} and {file} are those of an export that is done.
  'GET /fhir/$bulk-status/:id': {
    done: {
      ask: { by: 'token:conformance', path: '{export}' },
      status: 200,
      leaves: ['rest/operation+operation:$bulk-status 0 token-conformance'],
    },
    refused: {
      ask: { by: 'token:radiologist', path: '{export}' },
      status: 404,
      leaves: ['rest/operation+operation:$bulk-status 4 token-radiologist'],
    },
  },
  'GET /fhir/$bulk-file/:id/:name': {
    done: {
      ask: { by: 'token:conformance', path: '{file}' },
      status: 200,
      leaves: ['rest/operation+operation:$bulk-file 0 token-conformance'],
    },
    refused: {
      ask: { by: 'token:radiologist', path: '{file}' },
      status: 404,
      leaves: ['rest/operation+operation:$bulk-file 4 token-radiologist'],
    },
  },
  'DELETE /fhir/$bulk-status/:id': {
    done: {
      ask: { by: 'token:conformance', method: 'DELETE', path: '{other}' },
      ...{ status: 202, leaves: ['rest/operation+operation:$bulk-cancel 0 token-conformance'] },
    },
    refused: {
      ask: { by: 'token:radiologist', method: 'DELETE', path: '{export}' },
      ...{ status: 404, leaves: ['rest/operation+operation:$bulk-cancel 4 token-radiologist'] },
    },
  },
  'POST /fhir/$import': {
    done: {
      ask: {
        ...{ by: 'token:conformance', method: 'POST', path: '/fhir/$import' },
        headers: { prefer: 'respond-async', 'content-type': 'application/fhir+ndjson' },
        body: '{"resourceType":"Basic","id":"b1","code":{"text":"x"}}\n',
      },
      ...{ status: 202, leaves: ['110107/operation+operation:$import 0 token-conformance'] },
    },
    refused: {
      ask: {
        by: 'token:radiologist',
        method: 'POST',
        path: '/fhir/$import',
        headers: { 'content-type': 'application/fhir+ndjson' },
        body: '',
      },
      ...{ status: 403, leaves: ['rest/operation 8 token-radiologist (operation import)'] },
    },
  },

  // Signing in: what the steps of a factor leave is in test/access/second-factor.test.ts.
  'POST /oauth2/login': {
    done: {
      ask: { method: 'POST', path: '/oauth2/login', body: { username: 'session-ok', password } },
      ...{ status: 200, leaves: ['110114/110122 0 session-ok'] },
    },
    refused: {
      ask: { method: 'POST', path: '/oauth2/login', body: { username: 'session-ok', password: 'x' } },
      ...{ status: 401, leaves: ['110114/110122 4 session-ok'] },
    },
  },
  'POST /oauth2/logout': {
    done: {
      ask: { by: 'session:radiologist#out', method: 'POST', path: '/oauth2/logout' },
      ...{ status: 204, leaves: ['110114/110123 0 session-radiologist-out'] },
    },
    refused: nobody,
  },
  'GET /oauth2/userinfo': { done: own, refused: nobody },
  'GET /oauth2/sign-in': { done: steps, refused: steps },
  'DELETE /oauth2/sign-in': { done: 'gives up what was never a session', refused: steps },
  'POST /oauth2/sign-in/totp': { done: steps, refused: steps },
  'POST /oauth2/sign-in/recovery-code': { done: steps, refused: steps },
  'POST /oauth2/sign-in/passkey': { done: steps, refused: steps },
  'POST /oauth2/sign-in/passkey/options': { done: begins, refused: steps },
  'POST /oauth2/sign-in/enrol/totp': { done: begins, refused: steps },
  'POST /oauth2/sign-in/enrol/totp/confirm': { done: steps, refused: steps },
  'POST /oauth2/sign-in/enrol/passkey': { done: steps, refused: steps },
  'POST /oauth2/sign-in/enrol/passkey/options': { done: begins, refused: steps },
  'POST /oauth2/sign-in/password': { done: steps, refused: steps },
  'POST /oauth2/passkey': { done: 'needs an authenticator: test/access/second-factor.test.ts', refused: 'the same' },
  'POST /oauth2/passkey/options': { done: begins, refused: nobody },
  'GET /oauth2/openid/:source/start': { done: begins, refused: nobody },
  'GET /oauth2/openid/:source/callback': { done: 'needs a provider: test/access/openid', refused: nobody },
  'POST /oauth2/openid/end-session': { done: 'our own session was ended, and told, before', refused: nobody },

  // One's own account.
  'GET /oauth2/account': { done: own, refused: missing('GET', '/oauth2/account') },
  'GET /oauth2/account/sessions': { done: own, refused: missing('GET', '/oauth2/account/sessions') },
  'GET /oauth2/account/applications': { done: own, refused: missing('GET', '/oauth2/account/applications') },
  'DELETE /oauth2/account/applications/:id': {
    done: 'needs a consent: test/security/machines/tokens.test.ts',
    refused: missing('DELETE', `/oauth2/account/applications/${uuid}`),
  },
  'DELETE /oauth2/account/sessions': {
    done: 'with no other session nothing ends; one that ends is told: test/access/sign-in.test.ts',
    refused: missing('DELETE', '/oauth2/account/sessions'),
  },
  'DELETE /oauth2/account/sessions/:id': {
    done: 'the same',
    refused: missing('DELETE', `/oauth2/account/sessions/${uuid}`),
  },
  'POST /oauth2/account/proof': {
    done: 'what it opens for ten minutes is told when it is done',
    refused: missing('POST', '/oauth2/account/proof', { password: 'x' }),
  },
  'POST /oauth2/account/proof/passkey': { done: begins, refused: told },
  'POST /oauth2/account/proof/passkey/options': {
    done: begins,
    refused: missing('POST', '/oauth2/account/proof/passkey/options'),
  },
  'POST /oauth2/account/password': {
    done: {
      ask: {
        ...{ by: 'session:radiologist#word', method: 'POST', path: '/oauth2/account/password' },
        body: { current: password, password: 'Martinet-noir-58' },
      },
      ...{ status: 200, leaves: ['110113/110137+password-changed 0 session-radiologist-word'] },
    },
    refused: {
      ask: {
        ...{ by: 'session:radiologist#other', method: 'POST', path: '/oauth2/account/password' },
        body: { current: 'x', password: 'Martinet-noir-58' },
      },
      ...{ status: 422, leaves: ['110114/110122 4 session-radiologist-other'] },
    },
  },
  'POST /oauth2/account/totp': { done: begins, refused: missing('POST', '/oauth2/account/totp') },
  'POST /oauth2/account/totp/confirm': {
    done: 'needs an authenticator: test/access/second-factor.test.ts',
    refused: missing('POST', '/oauth2/account/totp/confirm', { code: '123456' }),
  },
  'DELETE /oauth2/account/totp': { done: 'the same', refused: missing('DELETE', '/oauth2/account/totp') },
  'POST /oauth2/account/passkeys': { done: 'the same', refused: told },
  'POST /oauth2/account/passkeys/options': {
    done: begins,
    refused: missing('POST', '/oauth2/account/passkeys/options'),
  },
  'DELETE /oauth2/account/passkeys/:id': { done: 'the same', refused: missing('DELETE', '/oauth2/account/passkeys/x') },
  'POST /oauth2/account/recovery-codes': {
    done: {
      ask: { by: 'session:radiologist#codes', method: 'POST', path: '/oauth2/account/recovery-codes' },
      ...{ status: 200, leaves: ['110113/110137+recovery-codes-made 0 session-radiologist-codes'] },
    },
    refused: missing('POST', '/oauth2/account/recovery-codes'),
  },

  // Administration.
  'GET /oauth2/accounts': {
    done: 'names of one’s own tenant, no patient; every change is told',
    refused: forbidden('GET', '/oauth2/accounts'),
  },
  'POST /oauth2/accounts': {
    done: {
      ask: {
        ...{ by: admin(1), method: 'POST', path: '/oauth2/accounts' },
        body: { login: 'made', family: 'MADE', roles: ['secretary'] },
      },
      // The Practitioner, and the account.
      ...{ status: 201, leaves: ['rest/administration 0 session-administrator-1', changed('session-administrator-1')] },
    },
    refused: forbidden('POST', '/oauth2/accounts', { login: 'no', family: 'NO', roles: ['secretary'] }),
  },
  'PATCH /oauth2/accounts/:login': {
    done: {
      ask: { by: admin(2), method: 'PATCH', path: '/oauth2/accounts/session-target', body: { display: 'AUTRE' } },
      ...{ status: 200, leaves: [changed('session-administrator-2')] },
    },
    refused: forbidden('PATCH', '/oauth2/accounts/session-target', { display: 'AUTRE' }),
  },
  'POST /oauth2/accounts/:login/reset-password': {
    done: {
      ask: { by: admin(3), method: 'POST', path: '/oauth2/accounts/session-target/reset-password' },
      ...{ status: 200, leaves: ['110113/110137+temporary-password 0 session-administrator-3'] },
    },
    refused: forbidden('POST', '/oauth2/accounts/session-target/reset-password'),
  },
  'POST /oauth2/accounts/:login/reset-factors': {
    done: {
      ask: { by: admin(4), method: 'POST', path: '/oauth2/accounts/session-target/reset-factors' },
      ...{ status: 204, leaves: ['110113/110137+factor-removed 0 session-administrator-4'] },
    },
    refused: forbidden('POST', '/oauth2/accounts/session-target/reset-factors'),
  },
  'POST /oauth2/accounts/:login/end-sessions': {
    done: {
      ask: { by: admin(5), method: 'POST', path: '/oauth2/accounts/session-signed/end-sessions' },
      ...{ status: 200, leaves: ['110113/session-ended 0 session-administrator-5'] },
    },
    refused: forbidden('POST', '/oauth2/accounts/session-signed/end-sessions'),
  },
  'PUT /oauth2/accounts/:login/links/:provider': {
    done: 'needs a provider: test/access/administration',
    refused: forbidden('PUT', '/oauth2/accounts/session-target/links/psc', { subject: 'x' }),
  },
  'DELETE /oauth2/accounts/:login/links/:provider': {
    done: 'the same',
    refused: forbidden('DELETE', '/oauth2/accounts/session-target/links/psc'),
  },
  'GET /oauth2/technical-accounts': {
    done: 'names of one’s own tenant, no patient; every change is told',
    refused: forbidden('GET', '/oauth2/technical-accounts'),
  },
  'POST /oauth2/technical-accounts/:login/holders': {
    done: {
      ask: {
        ...{ by: admin(6), method: 'POST', path: '/oauth2/technical-accounts/token-ris/holders' },
        body: { holder: 'A. TEST', company: 'X', reason: 'installation' },
      },
      ...{ status: 201, leaves: [changed('session-administrator-6')] },
    },
    refused: forbidden('POST', '/oauth2/technical-accounts/token-ris/holders', {
      holder: 'A. TEST',
      company: 'X',
      reason: 'installation',
    }),
  },
  'POST /oauth2/technical-accounts/:login/holders/:id/end': {
    done: 'needs a holder: test/access/administration',
    refused: forbidden('POST', `/oauth2/technical-accounts/token-ris/holders/${uuid}/end`),
  },

  // Machines and apps. {request} is what an app sends a browser with.
  'GET /oauth2/authorize': {
    done: 'a page that goes on to the consent; nobody is known yet',
    refused: {
      ask: { path: '/oauth2/authorize?client_id=nobody' },
      ...{ status: 400, leaves: ['110114/110122+oauth2:authorize 8 identité inconnue'] },
    },
  },
  'POST /oauth2/authorize': {
    done: 'the same',
    refused: {
      ask: { method: 'POST', path: '/oauth2/authorize', headers: form, body: 'client_id=nobody' },
      ...{ status: 400, leaves: ['110114/110122+oauth2:authorize 8 identité inconnue'] },
    },
  },
  'GET /oauth2/consent': {
    done: {
      ask: { by: 'session:conformance', path: '/oauth2/consent?{request}&search=abc' },
      ...{ status: 200, leaves: ['rest/search-type 0 session-conformance'] },
    },
    refused: {
      ask: { by: 'session:switchboard', path: '/oauth2/consent?{request}&search=abc' },
      ...{ status: 403, leaves: ['rest/search-type 8 session-switchboard'] },
    },
  },
  'POST /oauth2/consent': {
    done: 'needs the page shown before: test/access/smart/app-launch.test.ts',
    refused: {
      ask: {
        by: 'session:conformance',
        method: 'POST',
        path: '/oauth2/consent',
        headers: form,
        body: 'request=client_id%3Dnobody&decision=accept',
      },
      ...{ status: 400, leaves: ['110114/110122+oauth2:authorize 8 identité inconnue'] },
    },
  },
  'POST /oauth2/token': {
    done: 'needs a code or a key: test/access/smart',
    refused: {
      ask: {
        method: 'POST',
        path: '/oauth2/token',
        headers: form,
        body: 'client_id=viewer&grant_type=refresh_token&refresh_token=x',
      },
      ...{ status: 400, leaves: ['110114/110122+oauth2:token 8 identité inconnue'] },
    },
  },
  'POST /oauth2/introspect': {
    done: 'asked by a resource server at each of its own requests; shows a client its own tokens',
    refused: {
      ask: { method: 'POST', path: '/oauth2/introspect', headers: form, body: 'client_id=viewer&token=x' },
      ...{ status: 400, leaves: ['110114/110122+oauth2:introspect 8 identité inconnue'] },
    },
  },
  'POST /oauth2/revoke': {
    done: 'a token that ends is told: test/security/machines/tokens.test.ts; one that is none changes nothing',
    refused: {
      ask: { method: 'POST', path: '/oauth2/revoke', headers: form, body: 'client_id=nobody&token=x' },
      ...{ status: 401, leaves: ['110114/110122+oauth2:revoke 8 identité inconnue'] },
    },
  },
  'GET /oauth2/launch': { done: 'names of apps, no patient', refused: nobody },
  'POST /oauth2/launch': {
    done: {
      ask: {
        by: 'session:conformance',
        method: 'POST',
        path: '/oauth2/launch',
        headers: form,
        body: 'client_id=viewer&patient=p1',
      },
      ...{ status: 200, leaves: ['rest/read 0 session-conformance p1'] },
    },
    refused: {
      ask: {
        by: 'session:switchboard',
        method: 'POST',
        path: '/oauth2/launch',
        headers: form,
        body: 'client_id=viewer&patient=p1',
      },
      ...{ status: 403, leaves: ['rest/read 8 session-switchboard'] },
    },
  },

  'POST /dicomweb/studies': dicom('POST', '/dicomweb/studies', 'stow', true),
  'POST /dicomweb/studies/:study': dicom('POST', `/dicomweb/studies/${study}`, 'stow', true),
};

/** Addresses of DICOMweb that read, below `/dicomweb`, and what the trail calls them. */
const searches = ['/studies', '/series', '/instances', '/studies/:study/series', '/studies/:study/instances'];
const oneSearch = '/studies/:study/series/:series/instances';

export function dicomwebRow(method: string, url: string): Row | undefined {
  const below = url.replace('/dicomweb', '');
  if (method === 'OPTIONS') return { done: 'says which methods are taken, of any study', refused: 'the same' };
  if (method !== 'GET') return { done: 'no method of this address: 405', refused: 'the same' };
  return dicom('GET', url, searches.includes(below) || below === oneSearch ? 'qido' : 'wado', false);
}

/** Images looked at are one event of one account, study and five minutes: each address is asked by an account of its own. */
function dicom(method: string, url: string, transaction: string, isStore: boolean): Row {
  const type = transaction === 'qido' ? '110112' : '110104';
  const headers = url.endsWith('/metadata') || transaction === 'qido' ? dicomJson : {};
  const sent = isStore ? stow([]) : { headers };
  const reader = `token:conformance#${url.replace(/[^a-z]/g, '').slice(-44)}`;
  const leaves = (outcome: string, who: string) => [
    `${type}/dicomweb:${transaction} ${outcome} ${who.replace(/[:#]/g, '-')}`,
  ];
  return {
    done: isStore
      ? 'what is stored leaves the event of its write: test/adapters/dicomweb/store.test.ts'
      : { ask: { by: reader, method, path: url, headers }, status: 200, leaves: leaves('0', reader) },
    refused: {
      ask: { by: 'token:switchboard', method, path: url, ...sent },
      status: 403,
      leaves: leaves('8', 'token:switchboard'),
    },
  };
}
