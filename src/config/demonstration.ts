/** What the demonstration alone has: its hospital, the password of its accounts, and a clock that may run ahead. */
import { acceleratedClock, type DemonstrationClock } from './clock.ts';
import { ConfigError } from './config-error.ts';
import { secretText } from './secret.ts';
import { type Environment, given, oneOf } from './variables.ts';

const minimumPasswordLength = 14;

/** @param implied what `auto` means here. @throws ConfigError */
export function demoSetting(env: Environment, implied: boolean): boolean {
  const value = oneOf(env, 'DEMO', ['on', 'off', 'auto'], 'auto');
  return value === 'auto' ? implied : value === 'on';
}

/** @throws ConfigError */
export function demoPassword(env: Environment): string | undefined {
  const value = secretText(env, 'DEMO_PASSWORD');
  if (value !== undefined && value.length < minimumPasswordLength) {
    throw new ConfigError(`DEMO_PASSWORD est trop court : ${minimumPasswordLength} caractères au moins.`);
  }
  return value;
}

/** @param demo whether the demonstration is on. @throws ConfigError */
export function demoClock(env: Environment, demo: boolean): DemonstrationClock | undefined {
  const value = given(env, 'DEMO_CLOCK');
  if (value === undefined) return undefined;
  if (!demo)
    throw new ConfigError(
      'DEMO_CLOCK est refusé sans données de démonstration : les vrais délais courent à la vraie horloge.',
    );
  const [startText = '', speedText = '1'] = value.split(',');
  const start = new Date(startText);
  const speed = Number(speedText);
  if (Number.isNaN(start.getTime()) || !(speed > 0)) {
    throw new ConfigError(
      `DEMO_CLOCK=${value} : donnez <instant>[,<vitesse>], par exemple 2026-10-24T22:00:00+02:00,60.`,
    );
  }
  return acceleratedClock(start, speed);
}
