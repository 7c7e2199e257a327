/**
 * What the authorization server offers: SMART App Launch 2.2 §Conformance (`smart-configuration`), OpenID Connect Discovery 1.0 §3, and
 * the security part of the CapabilityStatement.
 */
import type { CapabilityStatement, CapabilityStatementRestSecurity } from '@medplum/fhirtypes';
import { assertionAlgorithms } from './assertion.ts';
import { otherScopes } from './scopes.ts';
import { tokenUrlOf } from './service.ts';
import { signingAlgorithm } from './signing-keys.ts';

export interface DiscoveryOptions {
  baseUrl: string;
  /** Whether connections are asked for certificates of clients. */
  certificates: boolean;
}

const capabilities = [
  'launch-ehr',
  'launch-standalone',
  'authorize-post',
  'client-public',
  'client-confidential-asymmetric',
  'sso-openid-connect',
  'context-passthrough-banner',
  'context-ehr-patient',
  'context-standalone-patient',
  'permission-offline',
  'permission-patient',
  'permission-user',
  'permission-v1',
  'permission-v2',
] as const;

/** Members of both documents. */
function endpoints({ baseUrl, certificates }: DiscoveryOptions) {
  const methods = ['private_key_jwt', ...(certificates ? ['tls_client_auth', 'self_signed_tls_client_auth'] : [])];
  return {
    issuer: baseUrl,
    jwks_uri: `${baseUrl}/oauth2/jwks`,
    authorization_endpoint: `${baseUrl}/oauth2/authorize`,
    token_endpoint: tokenUrlOf(baseUrl),
    introspection_endpoint: `${baseUrl}/oauth2/introspect`,
    revocation_endpoint: `${baseUrl}/oauth2/revoke`,
    token_endpoint_auth_methods_supported: ['none', ...methods],
    token_endpoint_auth_signing_alg_values_supported: assertionAlgorithms,
    introspection_endpoint_auth_methods_supported: methods,
    introspection_endpoint_auth_signing_alg_values_supported: assertionAlgorithms,
    revocation_endpoint_auth_methods_supported: ['none', ...methods],
    revocation_endpoint_auth_signing_alg_values_supported: assertionAlgorithms,
    grant_types_supported: ['authorization_code', 'client_credentials', 'refresh_token'],
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    code_challenge_methods_supported: ['S256'],
    scopes_supported: [...otherScopes, 'patient/*.rs', 'user/*.cruds', 'system/*.cruds'],
    authorization_response_iss_parameter_supported: true,
    tls_client_certificate_bound_access_tokens: certificates,
  };
}

export function smartConfiguration(options: DiscoveryOptions) {
  return { ...endpoints(options), capabilities };
}

export function openidConfiguration(options: DiscoveryOptions) {
  return {
    ...endpoints(options),
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [signingAlgorithm],
    claims_supported: ['iss', 'sub', 'aud', 'exp', 'iat', 'auth_time', 'nonce', 'fhirUser'],
    claim_types_supported: ['normal'],
    request_uri_parameter_supported: false,
  };
}

/** Says in the CapabilityStatement how clients get their tokens. */
export function describeSecurity({ rest = [] }: CapabilityStatement, baseUrl: string): void {
  for (const one of rest) one.security = securityStatement(baseUrl);
}

/** The extension is what clients of SMART 1 look for. */
function securityStatement(baseUrl: string): CapabilityStatementRestSecurity {
  const uri = (url: string, path: string) => ({ url, valueUri: `${baseUrl}/oauth2/${path}` });
  return {
    service: [
      {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'SMART-on-FHIR' }],
      },
    ],
    description: `SMART App Launch 2.2 and Backend Services: ${baseUrl}/.well-known/smart-configuration. Every interaction is checked and audited.`,
    extension: [
      {
        url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
        extension: [
          uri('token', 'token'),
          uri('authorize', 'authorize'),
          uri('introspect', 'introspect'),
          uri('revoke', 'revoke'),
        ],
      },
    ],
  };
}
