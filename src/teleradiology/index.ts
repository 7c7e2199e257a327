/** The domain of teleradiology: cases, their machine and clocks, images and reports around them. */
export type { ExamComplement, IncomingCancellation, IncomingRequest, Teleradiology } from './contract.ts';
export { createTeleradiology, type TeleradiologyRoom } from './create.ts';
export type { Log, Room } from './room.ts';
export { defaultSettings, type EstablishmentSettings, establishmentSettings } from './settings.ts';
