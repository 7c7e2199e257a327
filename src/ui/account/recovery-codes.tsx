/** Recovery codes, shown once. */
import { Alert, Button } from '@mantine/core';
import { type JSX, useEffect, useRef } from 'react';

export function RecoveryCodes({ codes, onKept }: { codes: readonly string[]; onKept: () => void }): JSX.Element {
  const section = useRef<HTMLElement>(null);
  // The heading is read out, and no key pressed twice dismisses what is shown once.
  useEffect(() => section.current?.focus(), []);
  return (
    <section ref={section} tabIndex={-1} className="stack" aria-labelledby="titre-secours">
      <h2 id="titre-secours">Codes de secours</h2>
      <Alert color="yellow" role="status">
        Notez-les sur papier et gardez-les à l’abri. Ils ne seront plus jamais affichés. Chacun remplace une fois le
        second facteur.
      </Alert>
      <ul className="recovery-codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <Button onClick={onKept}>J’ai noté ces codes</Button>
    </section>
  );
}
