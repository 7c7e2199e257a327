-- A backup by an owner who is no superuser reads as the application: names of files to destroy are part of what it must hold.
GRANT SELECT ON purged_blob TO passerelle_app;
