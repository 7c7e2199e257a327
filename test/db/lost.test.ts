import { expect, it } from 'vitest';
import { DatabaseAway, isLoss, isShortOfMeans, isVerdict } from '../../src/db/index.ts';

/** As PostgreSQL answers, in the language of its operator. */
const said = (code: string, severity = 'ERREUR') =>
  Object.assign(new Error('valeur de MOREAU CAMILLE'), { code, severity });
const ofNode = (code: string) => Object.assign(new Error(code), { code });

it.each([
  ['a duplicate', said('23505'), { verdict: true, loss: false, means: false }],
  ['a lock held too long', said('55P03'), { verdict: true, loss: false, means: false }],
  ['a session its operator ended', said('57P01', 'FATAL'), { verdict: false, loss: true, means: false }],
  ['a session that waited too long', said('25P03', 'FATAL'), { verdict: false, loss: true, means: false }],
  ['too many connections', said('53300', 'FATAL'), { verdict: false, loss: true, means: true }],
  ['a full disk', said('53100'), { verdict: false, loss: false, means: true }],
  ['a full disk that ends PostgreSQL', said('53100', 'PANIC'), { verdict: false, loss: false, means: false }],
  ['a standby', said('25006'), { verdict: true, loss: false, means: true }],
  ['a statement that took too long', said('57014'), { verdict: false, loss: false, means: false }],
  ['a broken line', ofNode('ECONNRESET'), { verdict: false, loss: true, means: false }],
  ['a full disk of ours', ofNode('ENOSPC'), { verdict: false, loss: false, means: false }],
  [
    'words of the driver',
    new Error('Connection terminated unexpectedly'),
    { verdict: false, loss: true, means: false },
  ],
  ['anything else', new Error('no'), { verdict: false, loss: false, means: false }],
  ['nothing', undefined, { verdict: false, loss: false, means: false }],
])('%s', (_, error, { verdict, loss, means }) => {
  expect([isVerdict(error), isLoss(error), isShortOfMeans(error)]).toEqual([verdict, loss, means]);
});

it('what is told of a lost database names its code and quotes nothing', () => {
  const away = new DatabaseAway(said('57P01', 'FATAL'));
  expect([away.message, away.code]).toEqual(['the database does not answer', '57P01']);
});
