/** What one client may ask: rates, requests at once, connections, slow bodies. */
export { createLimits, isOnThisMachine, type LimitOptions, type Limits } from './limits.ts';
