-- How many cells of each column were asked for in each week, and how many came in time.
-- grain: column_no, week_no
-- reads: cell
-- range: by the week of the cut-off, whether or not the outcome is known: who watches arrivals need
--        not wait for it; week_no counts Mondays from 1970-01-05
select
    column_no,
    date_diff('week', date '1970-01-05', cut_off_at::date) as week_no,
    count(*) as asked,
    count(*) filter (where status = 'arrived') as answered
from cell
group by column_no, week_no
order by column_no, week_no
