"""What kind of machine it is: how often, how broad, since when and until when."""
from .aws_jobs import Job
from .model import Identity, World
from .rand import Rand


def character(world: World, rand: Rand, who: Identity, job: Job, identities: int) -> None:
    """Pace, breadth, age and fate of a machine: most are narrow and dull."""
    habit = world.habits
    ops = list(job.ops)
    if job.power == "narrow" and job.schedule != "cron" and len(ops) > 1 and rand.chance(0.8):
        ops = rand.some(ops, 1 + int(rand.chance(0.5)) + int(rand.chance(0.25)))
    who.ops, who.rare, who.power, who.job, who.schedule = ops, list(job.rare), job.power, job.name, job.schedule
    who.rare += [key for key, _ in job.ops if key not in dict(ops)]
    who.rate = job.rate * habit["volume"] * rand.lognormal(1, habit["tail"])
    if rand.chance(0.2) and job.schedule in ("steady", "diurnal", "bursty"):
        who.rate *= 0.12
    who.rate = min(who.rate, 60.0)
    if job.schedule.startswith("loud"):
        who.rate = habit["scanner_calls"] * identities / 300 * (1 if job.schedule == "loud" else 0.12)
    who.length = max(1, round(job.length * rand.between(0.6, 1.5)))
    who.hosts = 1 + (rand.count(1.2) if who.kind in ("irsa", "ecs", "lambda", "ec2", "k8s-sa") else 0)
    who.host_days = rand.logbetween(0.4, 12)
    if rand.chance(habit["newcomers"]):
        who.born = rand.whole(1, world.days - 1)
    if rand.chance(habit["leavers"]):
        who.dies = rand.whole(3, world.days)
    if rand.chance(habit["upgrades"]):
        who.upgrade_day = rand.whole(1, max(world.days, 20))
    who.extra["failing"] = rand.chance(habit["failing"])
    who.extra["minute"] = rand.whole(0, 1439)
    who.extra["weekday"] = rand.whole(0, 6)
    who.extra["monthday"] = rand.pick([1, 1, 2, 5, 15, 20])
