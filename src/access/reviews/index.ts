/** Reviews of accounts (SE-7): use each quarter, need each year. */
export { decisionTexts, reviewMarkdown } from './markdown.ts';
export { overdueReviews, overdueReviewsOfAll } from './overdue.ts';
export { lastPeriod, periodNamed } from './period.ts';
export { decide, reviewAccounts } from './review.ts';
export { createUseNotes, notingUse } from './use.ts';
