"""Every kind of job and what is special about it: the table of contents of the worker."""

from webapp.jobs.models import Job
from worker.tasks.combine import CombineTask
from worker.tasks.embed import EmbedTask
from worker.tasks.evaluate import EvaluateTask
from worker.tasks.flow import FlowTask
from worker.tasks.fuse import FuseTask
from worker.tasks.ingest import IngestTask
from worker.tasks.inspect import InspectTask
from worker.tasks.predict import PredictTask
from worker.tasks.task import Task
from worker.tasks.train import TrainTask
from worker.tasks.weights import WeightsTask

TASKS: dict[Job.Kind, type[Task]] = {
    Job.Kind.INSPECT: InspectTask,
    Job.Kind.INGEST: IngestTask,
    Job.Kind.COMBINE: CombineTask,
    Job.Kind.FLOW: FlowTask,
    Job.Kind.TRAIN: TrainTask,
    Job.Kind.EVALUATE: EvaluateTask,
    Job.Kind.FUSE: FuseTask,
    Job.Kind.EMBED: EmbedTask,
    Job.Kind.PREDICT: PredictTask,
    Job.Kind.WEIGHTS: WeightsTask,
}
