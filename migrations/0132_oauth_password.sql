-- Who changes a password may do so because somebody else knows it: what was let in while the old one was good ends with it.
CREATE TRIGGER account_password_changed AFTER UPDATE OF password_hash ON account
  FOR EACH ROW WHEN (OLD.password_hash IS NOT NULL AND OLD.password_hash IS DISTINCT FROM NEW.password_hash)
  EXECUTE FUNCTION end_oauth_of_account();
