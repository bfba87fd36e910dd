-- Items of the SCMS file by a number, because their descriptions are longer than an id may be.
-- grain: item_id
-- reads: scms_line
-- range: every description, numbered in alphabetical order
with
line as (select * from scms_line),

described as (select distinct item from line)

select
    'SCMS-' || lpad((row_number() over (order by item))::varchar, 4, '0') as item_id,
    item
from described
order by item_id
