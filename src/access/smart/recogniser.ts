/** Access tokens of machines and apps as a credential (RFC 6750 §2.1), bound to a certificate where they are (RFC 8705 §3). */
import type { Database } from '../../db/index.ts';
import { certificateOf } from '../client-certificates/certificate.ts';
import { bearerToken, type CredentialRecogniser } from '../recognise.ts';
import { credentialName } from '../standing.ts';
import { hashOfSecret, tenantOfSecret } from './secrets.ts';
import { findToken } from './tokens.ts';

export function oauthTokens(database: Database): CredentialRecogniser {
  return {
    name: 'oauth',
    ambient: false,
    read(request) {
      const token = bearerToken(request);
      if (token === undefined || tenantOfSecret(token, 'a') === undefined) return undefined;
      // The certificate is part of what is presented: a token that was believed over one connection is not over another.
      const { thumbprint } = certificateOf((request as { socket?: unknown }).socket) ?? {};
      return `${token} ${thumbprint?.toString('base64url') ?? ''}`;
    },
    async identify(presented, now) {
      const [secret = '', thumbprint] = presented.split(' ');
      const token = await findToken(database, secret, now);
      if (!token) return undefined;
      if (token.thumbprint && token.thumbprint.toString('base64url') !== thumbprint) return undefined;
      const { tenant, actor, scopes, launch, clientId, expiresAt } = token;
      const { patient } = launch;
      return {
        tenant,
        actor: { ...actor, client: clientId, scopes, ...(patient === undefined ? {} : { patient }) },
        credential: credentialName({ tenant, kind: 'oauth', id: hashOfSecret(secret).toString('hex') }),
        expiresAt,
      };
    },
  };
}
