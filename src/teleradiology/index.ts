/** The domain of teleradiology: cases, their machine and clocks, images and reports around them. */
export { dueNow } from './clock/due-time.ts';
export { createTeleradiology, type TeleradiologyRoom } from './create.ts';
export { isPublishedLate, lateChanges, type Penalties, penaltiesCsv, penaltiesOf, totals } from './penalties/index.ts';
export { caseNumberOf } from './request/case-number.ts';
export type { Room } from './room.ts';
export { daysOf, type Month, monthAfter, monthOf, shiftOn } from './rota/calendar.ts';
export { type DutyKind, dutyNames, dutySystem, publicationExtension } from './rota/duty.ts';
export { defaultSettings } from './settings.ts';
export { type FindParty, mailAddress } from './talk/mail-address.ts';
export { type FactKind, type NoticeDefinition, type NoticeTemplate, notices } from './talk/notices.ts';
export { mailPrefix, type QueuedNotice, readNotice } from './talk/send-notice.ts';
export { keepPlace } from './worklist/index.ts';
