-- How many times a message of ours left without an answer that says it was refused: above 0 the other side may have taken it, also when
-- no acknowledgement ever came back. Null: sent before this was counted, when only its outcome tells.
ALTER TABLE hl7v2_message ADD COLUMN unanswered integer;
