/** What one client may ask: rates, requests at once, connections, slow bodies. */
export { createLimits, isOnThisMachine } from './limits.ts';
