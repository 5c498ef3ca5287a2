import switchboard.kernel.ids
from django.db import migrations, models

from tenants.audit.triggers import audited


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('tenants', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='AllowedOrigin',
            fields=[
                ('id', models.UUIDField(default=switchboard.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('origin', models.CharField(help_text='Such as https://www.example.com, or https://*.example.com.', max_length=300, unique=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['origin'],
            },
        ),
        audited("origins_allowedorigin", entity="allowed_origin", label="origin"),
    ]
