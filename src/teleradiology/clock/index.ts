/** Delays, public holidays, and the durable due times that are counted from them. */
export { dueAt } from './delay.ts';
export { cancelDueTimes, type DueTime, setDueTime } from './due-time.ts';
export { easter } from './easter.ts';
export { type HolidayCalendar, holidayCalendars, holidays, isHoliday } from './holidays.ts';
export { hourBandOf, hourBands, type LocalCalendar } from './hour-band.ts';
export { nextAt, type Plan, partAt, planOf, repetitionOf, replan, type Step, stepsDue, withRaised } from './plan.ts';
export { dropPlans, readPlan, storePlan } from './running-clock.ts';
export { createSweep } from './sweep.ts';
export { urgencyOf } from './urgency.ts';
