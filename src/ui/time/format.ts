/** Dates as French readers expect them; legal time is always Europe/Paris, whatever the workstation says. */
const zone = 'Europe/Paris';
const dateFormat = new Intl.DateTimeFormat('fr-FR', {
  timeZone: zone,
  day: '2-digit',
  month: '2-digit',
  year: 'numeric',
});
const timeFormat = new Intl.DateTimeFormat('fr-FR', { timeZone: zone, hour: '2-digit', minute: '2-digit' });
const secondsFormat = new Intl.DateTimeFormat('fr-FR', {
  timeZone: zone,
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

/** FHIR `date` (possibly a year or a month only) as dd/mm/yyyy, without any shift of time zone. */
export function frenchDate(date: string | undefined): string {
  const match = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?/.exec(date ?? '');
  if (!match) return 'non renseignée';
  return [match[3], match[2], match[1]].filter((part) => part !== undefined).join('/');
}

/** FHIR `instant` or `dateTime` as `22/11/2026 03:12`, Paris time; a dateTime without time gives its date. */
export function frenchDateTime(instant: string | undefined): string {
  if (instant === undefined || !instant.includes('T')) return frenchDate(instant);
  const date = new Date(instant);
  return Number.isNaN(date.getTime()) ? 'non renseignée' : `${dateFormat.format(date)} ${timeFormat.format(date)}`;
}

/** Same with seconds, for timelines and the journal. */
export function frenchInstant(instant: string | undefined): string {
  if (instant === undefined || !instant.includes('T')) return frenchDate(instant);
  const date = new Date(instant);
  return Number.isNaN(date.getTime()) ? 'non renseignée' : `${dateFormat.format(date)} ${secondsFormat.format(date)}`;
}

/** Hour only when the instant is today in Paris, else date and hour. */
export function frenchShort(instant: string, now: Date): string {
  const date = new Date(instant);
  if (Number.isNaN(date.getTime())) return 'non renseignée';
  return dateFormat.format(date) === dateFormat.format(now) ? timeFormat.format(date) : frenchDateTime(instant);
}

/** DICOM DA (`YYYYMMDD`) as dd/mm/yyyy. */
export function frenchDicomDate(value: string | undefined): string | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})$/.exec(value ?? '');
  return match ? `${match[3]}/${match[2]}/${match[1]}` : undefined;
}

/** Age as said at the bedside: days, months below three years, then years. */
export function ageText(birthDate: string | undefined, now: Date): string | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(birthDate ?? '');
  if (!match) return undefined;
  const [day, month, year] = dateFormat.format(now).split('/').map(Number) as [number, number, number];
  const months = (year - Number(match[1])) * 12 + (month - Number(match[2])) - (day < Number(match[3]) ? 1 : 0);
  if (months < 0) return undefined;
  if (months < 1) {
    const days = Math.floor(
      (Date.UTC(year, month - 1, day) - Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]))) /
        86_400_000,
    );
    return days < 2 ? `${days} jour` : `${days} jours`;
  }
  if (months < 36) return `${months} mois`;
  return `${Math.floor(months / 12)} ans`;
}
