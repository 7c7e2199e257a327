/** Delays, public holidays, and the durable due times that are counted from them. */
export { type Delay, delayText, dueAt } from './delay.ts';
export { cancelDueTimes, type DueKind, type DueTime, setDueTime } from './due-time.ts';
export { easter } from './easter.ts';
export { type HolidayCalendar, holidayCalendars, holidays, isHoliday, isHolidayCalendar } from './holidays.ts';
export { type HourBand, hourBandOf, hourBands, type LocalCalendar } from './hour-band.ts';
export {
  nextAt,
  type Plan,
  type PlannedStep,
  partAt,
  planOf,
  repetitionOf,
  replan,
  type Step,
  stepsDue,
  withRaised,
} from './plan.ts';
export { dropPlans, readPlan, storePlan } from './running-clock.ts';
export { createSweep, type Sweep } from './sweep.ts';
export { urgencyOf } from './urgency.ts';
