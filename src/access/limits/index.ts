/** What one client may ask: rates, requests at once, connections, slow bodies. */
export { createLimits, type LimitOptions, type Limits } from './limits.ts';
