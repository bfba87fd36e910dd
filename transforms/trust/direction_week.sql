-- The four parts and the score of each direction, week by week; null is not measured.
-- grain: partner, direction, week
-- reads: column_week, definition, int_part_week
-- range: 52-week windows, the newest weeks weighing most; score from 0 to 100, null while information
--        is not measured; a part that the terms do not let be shown counts as one of which nothing
--        is known: what its prior says
with
informed as (
    select
        partner,
        direction,
        week,
        sum(weight * u) / nullif(sum(weight) filter (where u is not null), 0) as information,
        sum(due) as due,
        sum(arrived) as arrived,
        sum(late) as late,
        sum(missing) as missing,
        sum(week_bits) as week_bits,
        sum(week_due) as week_due,
        sum(week_arrived) as week_arrived,
        count(*) as columns_measured,
        count(u) as columns_enough
    from column_week
    group by partner, direction, week
),

weighed as (
    select
        part.*,
        pow(2, (part.week_no - min(part.week_no) over ()) / definition.half_life_weeks) as recency,
        definition.version
    from int_part_week as part
    cross join definition
),

remembered as (
    select
        *,
        sum(promises) over recent as promises_due,
        sum(unpromised) over recent as promises_never_made,
        sum(troubles) over recent as troubles_suffered,
        sum(troubles_told) over recent as troubles_named,
        sum(ideas) over recent as ideas_offered,
        sum(ideas_accepted) over recent as ideas_taken,
        sum(recency * promises) over recent / recency as promise_count,
        sum(recency * kept_value) over recent
        / nullif(sum(recency * promised_value) over recent, 0) as kept_share,
        sum(recency * troubles) over recent / recency as trouble_count,
        greatest(0, sum(recency * told_beyond) over recent) / recency as told_count,
        sum(recency * ideas_accepted) over recent / recency as accepted_count,
        sum(recency) over recent / recency as week_count
    from weighed
    window recent as (
        partition by partner, direction
        order by week_no
        rows between 51 preceding and current row
    )
),

parts as (
    select
        remembered.*,
        informed.* exclude (partner, direction, week),
        case when has_promises then promise_count * coalesce(kept_share, 0) else 0 end as kept,
        case when has_promises then promise_count else 0 end as promised,
        case when has_candour then told_count else 0 end as told,
        case when has_candour then trouble_count else 0 end as troubled,
        case when has_ideas then accepted_count else 0 end as accepted
    from remembered
    left join informed using (partner, direction, week)
),

expected as (
    select
        *,
        (7.5 + kept) / (10 + promised) as promises_kept,
        (1 + told) / (2 + troubled) as candour,
        1 - exp(-13 * (accepted + 0.25) / (week_count + 13)) as idea_share
    from parts
),

scaled as (
    select
        *,
        least(greatest((promises_kept - 0.6) / 0.4, 0.02), 1) as promise_factor,
        least(1, candour / 0.8) as candour_factor,
        -- `greatest` passes over null, and what is not measured must stay so.
        case when information is not null then greatest(information, 0.01) end
            as information_factor
    from expected
)

select
    partner,
    direction,
    week,
    version,
    information,
    case when has_promises then promises_kept end as promises,
    case when has_promises then promise_factor end as promise_factor,
    case when has_candour then candour end as candour,
    case when has_candour then candour_factor end as candour_factor,
    case when has_ideas then idea_share end as ideas,
    100 * pow(
        information_factor * promise_factor * candour_factor * idea_share, 0.25
    ) as score,
    -- What the score multiplies: for what nobody may show, what is expected of the unknown.
    information_factor as counted_information,
    promise_factor as counted_promises,
    candour_factor as counted_candour,
    idea_share as counted_ideas,
    100 * sqrt(information_factor * case when has_promises then promise_factor end)
        as information_and_promises_only,
    coalesce(due, 0) as due,
    coalesce(arrived, 0) as arrived,
    coalesce(late, 0) as late,
    coalesce(missing, 0) as missing,
    coalesce(week_bits, 0) as week_bits,
    coalesce(week_due, 0) as week_due,
    coalesce(week_arrived, 0) as week_arrived,
    coalesce(columns_measured, 0) as columns_measured,
    coalesce(columns_enough, 0) as columns_enough,
    promises_due,
    promises_never_made,
    troubles_suffered,
    troubles_named,
    ideas_offered,
    ideas_taken,
    has_promises,
    has_candour,
    has_ideas,
    promises as week_promises,
    promised_value as week_promised_value,
    kept_value as week_kept_value,
    troubles as week_troubles,
    troubles_told as week_troubles_told,
    told_beyond as week_told_beyond,
    ideas_accepted as week_ideas_accepted
from scaled
order by partner, direction, week
