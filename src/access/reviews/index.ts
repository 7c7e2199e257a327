/** Reviews of accounts (SE-7): use each quarter, need each year. */
export { decisionTexts, reviewMarkdown } from './markdown.ts';
export { overdueReviews, overdueReviewsOfAll } from './overdue.ts';
export { lastPeriod, type Period, periodNamed, type ReviewKind } from './period.ts';
export { type Decision, decide, type Review, type ReviewedAccount, reviewAccounts } from './review.ts';
export { createUseNotes, notingUse } from './use.ts';
