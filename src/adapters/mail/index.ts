/** E-mail: the mail server, and the notices people get by it. */
export { mailDestination } from './destination.ts';
export { createMailer, type SmtpMailer } from './mailer.ts';
export { loadTemplates } from './templates.ts';
