/** Shapes of what browsers send about second factors: nothing longer or otherwise than an authenticator makes it. */
const base64url = { type: 'string', pattern: '^[A-Za-z0-9_-]*$', maxLength: 16_384 } as const;
const credentialId = { type: 'string', pattern: '^[A-Za-z0-9_-]+$', maxLength: 1_400 } as const;
const ticket = { type: 'string', minLength: 1, maxLength: 1_024 } as const;

const publicKeyCredential = {
  type: 'object',
  required: ['id', 'rawId', 'type', 'response', 'clientExtensionResults'],
  properties: {
    id: credentialId,
    rawId: credentialId,
    type: { const: 'public-key' },
    authenticatorAttachment: { type: 'string', maxLength: 32 },
    clientExtensionResults: { type: 'object' },
  },
} as const;

/** Six digits. */
export const codeBody = {
  body: {
    type: 'object',
    required: ['code'],
    properties: { code: { type: 'string', minLength: 1, maxLength: 64 } },
  },
} as const;

/** `RegistrationResponseJSON` of WebAuthn §5.1. */
export const registrationBody = {
  body: {
    type: 'object',
    required: ['ticket', 'response', 'label'],
    properties: {
      ticket,
      label: { type: 'string', minLength: 1, maxLength: 60 },
      response: {
        ...publicKeyCredential,
        properties: {
          ...publicKeyCredential.properties,
          response: {
            type: 'object',
            required: ['clientDataJSON', 'attestationObject'],
            properties: {
              clientDataJSON: base64url,
              attestationObject: base64url,
              transports: { type: 'array', maxItems: 10, items: { type: 'string', maxLength: 32 } },
            },
          },
        },
      },
    },
  },
} as const;

/** `AuthenticationResponseJSON` of WebAuthn §5.1. */
export const assertionBody = {
  body: {
    type: 'object',
    required: ['ticket', 'response'],
    properties: {
      ticket,
      response: {
        ...publicKeyCredential,
        properties: {
          ...publicKeyCredential.properties,
          response: {
            type: 'object',
            required: ['clientDataJSON', 'authenticatorData', 'signature'],
            properties: {
              clientDataJSON: base64url,
              authenticatorData: base64url,
              signature: base64url,
              userHandle: { ...base64url, maxLength: 128 },
            },
          },
        },
      },
    },
  },
} as const;

/** A password, present or new; the rules say more, in words. */
const passwordText = { type: 'string', minLength: 1, maxLength: 1_024 } as const;

export const newPasswordBody = {
  body: { type: 'object', required: ['password'], properties: { password: passwordText } },
} as const;

export const changePasswordBody = {
  body: {
    type: 'object',
    required: ['current', 'password'],
    properties: { current: passwordText, password: passwordText },
  },
} as const;

/** Beyond this no body of these routes goes, in bytes. */
export const factorBodyLimitBytes = 64 * 1024;
