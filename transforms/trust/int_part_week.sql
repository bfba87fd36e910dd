-- Promises, candour and ideas by week, and whether the terms let the partner share them at all.
-- grain: partner, direction, week_no
-- reads: int_idea, int_idea_novelty, int_promise, int_trouble, int_week, stg_terms
-- range: weeks of int_week; sums are of events counted in that week; told_beyond is how many troubles
--        more were told than if the partner had complained of all lines as often as of the good ones; an
--        idea of which nine tenths were said before is not counted again when it is accepted
with
permitted as (
    select
        partner,
        direction,
        bool_or(
            kind = 'delivery_commitment' and column_name = 'promised_date'
            or kind = 'demand_forecast' and column_name = 'commitment'
        ) as has_promises,
        bool_or(kind = 'complaint') as has_candour,
        bool_or(kind in ('design_idea', 'process_idea')) as has_ideas
    from stg_terms
    group by partner, direction
),

promised as (
    select
        partner,
        direction,
        date_diff('week', date '1970-01-05', counted_at::date) as week_no,
        count(*) as promises,
        count(*) filter (where not is_promised) as unpromised,
        sum(value) as promised_value,
        sum(value * kept) as kept_value
    from int_promise
    group by partner, direction, week_no
),

troubled as (
    select
        partner,
        direction,
        date_diff('week', date '1970-01-05', counted_at::date) as week_no,
        count(*) as troubles,
        count(*) filter (where is_told) as troubles_told,
        sum(is_told::integer - told_anyway) as told_beyond
    from int_trouble
    group by partner, direction, week_no
),

offered as (
    select
        partner,
        direction,
        date_diff('week', date '1970-01-05', offered_at::date) as week_no,
        count(*) as ideas
    from int_idea
    group by partner, direction, week_no
),

accepted as (
    select
        partner,
        direction,
        date_diff('week', date '1970-01-05', accepted_at::date) as week_no,
        count(*) as ideas_accepted
    from int_idea
    left join int_idea_novelty as text using (partner, direction, kind, idea_id)
    where accepted_at is not null and coalesce(text.novelty, 1) >= 0.1
    group by partner, direction, week_no
)

select
    int_week.partner,
    int_week.direction,
    int_week.week_no,
    int_week.week,
    permitted.has_promises,
    permitted.has_candour,
    permitted.has_ideas,
    coalesce(promised.promises, 0) as promises,
    coalesce(promised.unpromised, 0) as unpromised,
    coalesce(promised.promised_value, 0) as promised_value,
    coalesce(promised.kept_value, 0) as kept_value,
    -- Who may not complain to us is not silent.
    case when permitted.has_candour then coalesce(troubled.troubles, 0) else 0 end as troubles,
    case when permitted.has_candour then coalesce(troubled.troubles_told, 0) else 0 end
        as troubles_told,
    case when permitted.has_candour then coalesce(troubled.told_beyond, 0) else 0 end
        as told_beyond,
    coalesce(offered.ideas, 0) as ideas,
    coalesce(accepted.ideas_accepted, 0) as ideas_accepted
from int_week
inner join permitted using (partner, direction)
left join promised using (partner, direction, week_no)
left join troubled using (partner, direction, week_no)
left join offered using (partner, direction, week_no)
left join accepted using (partner, direction, week_no)
