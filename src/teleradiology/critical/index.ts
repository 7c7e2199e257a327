/** Critical results: declared, told to one after the other until somebody says them back (WF-9). */
export { acknowledgeAlert } from './acknowledge-alert.ts';
export { completeAnnouncement, guardAnnouncement, readAnnouncement } from './announcement-writes.ts';
export { criticalOf } from './critical-fact.ts';
export { escalateAlert } from './escalate-alert.ts';
export { startAlert } from './start-alert.ts';
export { criticalStatements } from './statement.ts';
