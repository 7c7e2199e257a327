/** Critical results: declared, told to one after the other until somebody says them back (WF-9). */
export { completeAnnouncement, guardAnnouncement, readAnnouncement } from './announcement-writes.ts';
export { escalateAlert } from './escalate-alert.ts';
export { criticalStatements } from './statement.ts';
