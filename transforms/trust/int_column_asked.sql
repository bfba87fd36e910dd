-- How many cells of each column were asked for in each week, and how many came in time.
-- grain: column_no, week_no
-- reads: int_stated_cell
-- range: by the week of the cut-off, whether or not the outcome is known: who watches arrivals need
--        not wait for it; week_no counts Mondays from 1970-01-05
select
    column_no,
    -- 1970-01-05 was a Monday, and a date is ten times as dear to come by.
    (epoch_us(cut_off_at) - 345600000000) // 604800000000 as week_no,
    count(*) as asked,
    count(*) filter (where status = 'arrived') as answered
from int_stated_cell
group by column_no, week_no
order by column_no, week_no
