-- A trade whose id came before (see ltpkit/flags) is a row with the flag `duplicate`, and counts nowhere.

CREATE OR REPLACE VIEW believed_ticks AS
SELECT *
FROM ticks
ANTI JOIN (
    SELECT seq FROM flagged_seqs WHERE why IN ('price', 'future', 'another day', 'jump', 'duplicate')
) USING (seq);
