-- Records of one meeting by both sides: held on one day, about as long, each the other's nearest.
-- grain: partner, direction, own_id, told_id
-- reads: stg_interaction
-- range: lengths that differ by no more than a quarter of an hour, or a quarter of the longer one; a
--        record without a length may be any of its day
with
numbered as (
    select
        *,
        -- Of meetings of one day that are as long as each other the first is the other side's first.
        row_number() over (
            partition by partner, direction, is_own, held_on, minutes order by interaction_id
        ) as place
    from stg_interaction
    where held_on is not null
),

candidate as (
    select
        own.partner,
        own.direction,
        own.interaction_id as own_id,
        told.interaction_id as told_id,
        coalesce(abs(own.minutes - told.minutes), 1440) as minutes_apart,
        abs(own.place - told.place) as places_apart
    from numbered as own
    inner join numbered as told using (partner, direction, held_on)
    where
        own.is_own
        and not told.is_own
        and coalesce(
            abs(own.minutes - told.minutes)
            <= greatest(15, 0.25 * greatest(own.minutes, told.minutes)),
            true
        )
),

ranked as (
    select
        *,
        row_number() over (
            partition by partner, direction, own_id order by minutes_apart, places_apart, told_id
        ) as for_own,
        row_number() over (
            partition by partner, direction, told_id order by minutes_apart, places_apart, own_id
        ) as for_told
    from candidate
)

select
    partner,
    direction,
    own_id,
    told_id,
    minutes_apart
from ranked
where for_own = 1 and for_told = 1
