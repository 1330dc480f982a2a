-- Where an alert about a resident really is, as JSON; '' of old: as the list has it. What says that a flat is empty is in
-- nobody's place, so that a list, a figure or a page on paper can tell it to nobody: whom the resident named sees it here.
ALTER TABLE care ADD COLUMN home TEXT NOT NULL DEFAULT '';
UPDATE care SET home = (SELECT place FROM alerts WHERE alerts.alert = care.alert)
    WHERE alert IN (SELECT alert FROM alerts WHERE kind IN ('care.away', 'care.away_over'));
UPDATE alerts SET place = '{}', zh = '住户外出，家中动静看护暂停', en = 'Nobody at home: the watch for movement rests'
    WHERE kind IN ('care.away', 'care.away_over');
