/** Delays, public holidays, and the durable due times that are counted from them. */
export {
  type ClockRule,
  type DelayTerms,
  deadline,
  defaultDelays,
  ruleFor,
  type Threshold,
  thresholdAt,
  thresholds,
} from './deadline.ts';
export { cancelDueTimes, type DueKind, type DueTime, setDueTime } from './due-time.ts';
export { easter, type HolidayCalendar, holidays, isHoliday } from './holidays.ts';
export { createSweep, type Sweep } from './sweep.ts';
