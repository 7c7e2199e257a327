/** E-mail: the mail server, and the notices people get by it. */
export { type MailDestinationOptions, mailDestination } from './destination.ts';
export { createMailer, type SmtpMailer, type SmtpSettings } from './mailer.ts';
export { loadTemplates, type Templates } from './templates.ts';
