/** Bodies of the administration's requests: what is not described here is refused or dropped before anything is done. */

const login = { type: 'string', minLength: 2, maxLength: 64, pattern: '^[A-Za-z0-9][A-Za-z0-9._@-]{1,63}$' } as const;
const name = {
  type: 'string',
  minLength: 1,
  maxLength: 100,
  pattern: '^[^\\u0000-\\u001f]*\\S[^\\u0000-\\u001f]*$',
} as const;
const roles = { type: 'array', items: { type: 'string', maxLength: 40 }, minItems: 1, maxItems: 10 } as const;
const establishments = {
  type: 'array',
  items: { type: 'string', pattern: '^[A-Za-z0-9.-]{1,64}$' },
  maxItems: 200,
} as const;
const instant = { type: 'string', format: 'date-time', maxLength: 40 } as const;

function body(properties: object, required: string[]) {
  return { type: 'object', additionalProperties: false, properties, required };
}

export const bodyLimitBytes = 16 * 1024;

export const newAccountBody = body(
  {
    ...{ login, family: name, roles, establishments },
    given: { type: 'string', maxLength: 100 },
    rpps: { type: 'string', pattern: '^\\d{11}$' },
  },
  ['login', 'family', 'roles'],
);
export const accountChangeBody = {
  ...body({ display: { ...name, maxLength: 200 }, roles, establishments, disabled: { type: 'boolean' } }, []),
  minProperties: 1,
};
export const tieBody = body({ subject: { type: 'string', minLength: 1, maxLength: 255 } }, ['subject']);
export const newHoldingBody = body(
  {
    ...{
      holder: { ...name, maxLength: 200 },
      company: { ...name, maxLength: 200 },
      reason: { ...name, maxLength: 500 },
    },
    ...{ since: instant, until: instant },
  },
  ['holder', 'company', 'reason'],
);

export const byLogin = { type: 'object', properties: { login } } as const;
export const byLoginAndProvider = {
  type: 'object',
  properties: { login, provider: { type: 'string', pattern: '^[a-z][a-z0-9-]{0,30}$' } },
} as const;
export const byHolding = {
  type: 'object',
  properties: { login, id: { type: 'string', pattern: '^[0-9a-f-]{36}$' } },
} as const;
