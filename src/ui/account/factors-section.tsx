/** The second factors of the account. Changing them wants a proof of the last ten minutes, asked for here when it is older. */
import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type JSX, useState } from 'react';
import { canUsePasskeys, createPasskey, passkeyLabel } from '../session/passkey.ts';
import { ask } from '../session/people-client.ts';
import { StepError } from '../session/step-error.tsx';
import { frenchDateTime } from '../time/format.ts';
import type { AccountState } from './account.ts';
import { FreshProof } from './fresh-proof.tsx';
import { RecoveryCodes } from './recovery-codes.tsx';
import { TotpSetup } from './totp-setup.tsx';

type Changed = { recoveryCodes?: string[] };

export function FactorsSection({ account, onChanged }: { account: AccountState; onChanged: () => void }): JSX.Element {
  const [codes, setCodes] = useState<string[]>();
  const done = (answer: Changed): void => {
    if (answer.recoveryCodes) setCodes(answer.recoveryCodes);
    onChanged();
  };
  const change = useMutation({ mutationFn: (work: () => Promise<Changed>) => work(), onSuccess: done });
  const remove = (path: string): void => change.mutate(() => ask<Changed>('DELETE', `account/${path}`));
  const { totp, passkeys, recoveryCodes, can } = account;
  const hasFactor = totp !== null || passkeys.length > 0;

  if (codes) return <RecoveryCodes codes={codes} onKept={() => setCodes(undefined)} />;
  return (
    <section className="stack" aria-labelledby="titre-facteurs">
      <h2 id="titre-facteurs">Second facteur</h2>
      <p>
        {hasFactor
          ? 'Demandé à chaque connexion par mot de passe.'
          : 'Aucun : qui connaît votre mot de passe peut se connecter à votre place.'}
        {account.secondFactorRequired ? ' Votre rôle l’exige.' : ''}
      </p>
      <ul className="factors">
        {totp ? (
          <li>
            <span>Application d’authentification, depuis le {frenchDateTime(totp.createdAt)}</span>
            <Button size="compact-sm" variant="default" disabled={!account.fresh} onClick={() => remove('totp')}>
              Retirer l’application
            </Button>
          </li>
        ) : null}
        {passkeys.map((passkey) => (
          <li key={passkey.id}>
            <span>
              {passkey.label}, depuis le {frenchDateTime(passkey.createdAt)}
              {passkey.usedAt ? `, utilisée le ${frenchDateTime(passkey.usedAt)}` : ''}
            </span>
            <Button
              size="compact-sm"
              variant="default"
              disabled={!account.fresh}
              aria-label={`Retirer ${passkey.label}`}
              onClick={() => remove(`passkeys/${encodeURIComponent(passkey.id)}`)}
            >
              Retirer
            </Button>
          </li>
        ))}
        {hasFactor ? (
          <li>
            <span>{recoveryCodes} code(s) de secours restant(s)</span>
            <Button
              size="compact-sm"
              variant="default"
              disabled={!account.fresh}
              onClick={() => change.mutate(() => ask<Changed>('POST', 'account/recovery-codes', {}))}
            >
              Nouveaux codes de secours
            </Button>
          </li>
        ) : null}
      </ul>
      <StepError error={change.error} />
      {account.fresh ? (
        <>
          {canUsePasskeys(can.passkey) ? (
            <Button
              variant="default"
              className="narrow"
              loading={change.isPending}
              onClick={() =>
                change.mutate(() => createPasskey('account/passkeys/options', 'account/passkeys', passkeyLabel()))
              }
            >
              Ajouter une clé d’accès
            </Button>
          ) : null}
          {can.totp && totp === null ? <TotpSetup<Changed> path="account/totp" onDone={done} /> : null}
        </>
      ) : (
        <FreshProof
          hasPassword={account.password !== null}
          hasPasskey={passkeys.length > 0 && canUsePasskeys(can.passkey)}
          onProved={onChanged}
        />
      )}
    </section>
  );
}
